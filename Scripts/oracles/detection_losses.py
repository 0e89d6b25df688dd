"""Writes Tests/Golden/detection-losses/fixture.json: DETR-style costs, matching and losses computed with PyTorch.

Matching is by trying all permutations. Usage: python Scripts/oracles/detection_losses.py
"""

import itertools
import json
import pathlib

import torch
import torch.nn.functional as F

ALPHA, GAMMA = 0.25, 2.0


def corners(boxes):
    x, y, w, h = boxes.unbind(-1)
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], -1)


def giou(a, b):
    a, b = corners(a), corners(b)
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area = lambda box: (box[..., 2:] - box[..., :2]).prod(-1)
    union = area(a) + area(b) - overlap
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    return overlap / union - (hull - union) / hull


def focal(logits, wanted):
    p = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    p_right = p * wanted + (1 - p) * (1 - wanted)
    return (ALPHA * wanted + (1 - ALPHA) * (1 - wanted)) * (1 - p_right) ** GAMMA * entropy


def cost_matrix(boxes, logits, targets):
    p = logits.sigmoid()[:, None]
    positive = ALPHA * (1 - p) ** GAMMA * -(p + 1e-8).log()
    negative = (1 - ALPHA) * p**GAMMA * -(1 - p + 1e-8).log()
    l1 = torch.cdist(boxes, targets, p=1)
    return 2 * (positive - negative) + 5 * l1 - 2 * giou(boxes[:, None], targets[None])


def best_pairs(cost):
    queries, targets = cost.shape
    best = min(
        itertools.permutations(range(queries), targets),
        key=lambda rows: sum(cost[row, column].item() for column, row in enumerate(rows)))
    return sorted((row, column) for column, row in enumerate(best))


def main():
    torch.manual_seed(7)
    layers, counts, queries = 3, [2, 0, 3], 6
    boxes = torch.rand(layers, len(counts), queries, 4) * torch.tensor([0.6, 0.6, 0.3, 0.3]) + torch.tensor([0.2, 0.2, 0.1, 0.1])
    logits = torch.randn(layers, len(counts), queries)
    targets = [torch.rand(n, 4) * torch.tensor([0.5, 0.5, 0.3, 0.3]) + torch.tensor([0.25, 0.25, 0.1, 0.1]) for n in counts]
    boxes.requires_grad_(True)
    logits.requires_grad_(True)
    number = sum(counts)
    parts = {"classification": [], "l1": [], "giou": []}
    pairs, costs = [], []
    for layer in range(layers):
        classification = l1 = overlap = 0
        for image, wanted in enumerate(targets):
            hot = torch.zeros(queries)
            if len(wanted):
                cost = cost_matrix(boxes[layer, image], logits[layer, image], wanted)
                matched = best_pairs(cost)
                costs.append(cost.flatten().tolist())
                pairs += [[layer, image, row, column] for row, column in matched]
                rows, columns = [row for row, _ in matched], [column for _, column in matched]
                hot[rows] = 1
                l1 = l1 + (boxes[layer, image, rows] - wanted[columns]).abs().sum()
                overlap = overlap + (1 - giou(boxes[layer, image, rows], wanted[columns])).sum()
            classification = classification + focal(logits[layer, image], hot).sum()
        parts["classification"].append(classification / number)
        parts["l1"].append(l1 / number)
        parts["giou"].append(overlap / number)
    total = sum(parts["classification"]) + 5 * sum(parts["l1"]) + 2 * sum(parts["giou"])
    total.backward()
    fixture = {
        "layers": layers, "queries": queries, "boxes": boxes.flatten().tolist(), "logits": logits.flatten().tolist(),
        "targets": [wanted.tolist() for wanted in targets], "costs": costs, "pairs": pairs, "total": total.item(),
        "boxGradient": boxes.grad.flatten().tolist(), "logitGradient": logits.grad.flatten().tolist(),
    } | {name: [value.item() for value in values] for name, values in parts.items()}
    folder = pathlib.Path(__file__).resolve().parents[2] / "Tests/Golden/detection-losses"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fixture.json").write_text(json.dumps(fixture) + "\n")


main()
