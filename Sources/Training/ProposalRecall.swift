import Boxes
import Imaging
import Torch
import UPN

/// How many of a picture's boxes are among a network's best proposals.
public enum ProposalRecall {
    /// Share of boxes that are found, one-to-one, with an IoU of at least 0.5 (and 0.75) among the best `limit` queries of
    /// their granularity: `fine_recall`, `fine_recall75`, `coarse_recall`, `coarse_recall75`.
    ///
    /// Pictures are shown as they are, without resizing; nothing is filtered by score or overlap.
    public static func measure(
        _ network: UniversalProposalNetwork, _ pictures: [AnnotatedPicture], limit: Int = 100, batchSize: Int,
        device: Device = .cpu
    ) throws -> [String: Double] {
        var found: [String: Int] = [:], total: [Granularity: Int] = [:]
        for start in stride(from: 0, to: pictures.count, by: batchSize) {
            let part = Array(pictures[start..<min(start + batchSize, pictures.count)])
            try withoutGradients {
                let input = try batch(part).networkInput(device: device)
                let memory = try network.encode(input.pixels, mask: input.mask)
                for granularity in Granularity.allCases {
                    let output = try network.decode(memory, network.select(memory, granularity), granularity)
                    guard let boxes = output.boxes.last, let logits = output.logits.last else { continue }
                    let proposals = try UniversalProposalNetwork.proposals(
                        boxes, logits, sizes: part.map { ($0.image.width, $0.image.height) }, granularity)
                    for (picture, ranked) in zip(part, proposals) {
                        let wanted = granularity == .fine ? picture.boxes.fine : picture.boxes.coarse
                        let best = ranked.prefix(limit).map(\.box)
                        total[granularity, default: 0] += wanted.count
                        found[granularity.rawValue + "_recall", default: 0] += try count(best, wanted, threshold: 0.5)
                        found[granularity.rawValue + "_recall75", default: 0] += try count(best, wanted, threshold: 0.75)
                    }
                }
            }
        }
        return Dictionary(
            uniqueKeysWithValues: Granularity.allCases.flatMap { granularity in
                ["_recall", "_recall75"].map { suffix in
                    let name = granularity.rawValue + suffix
                    return (name, Double(found[name] ?? 0) / Double(max(1, total[granularity] ?? 0)))
                }
            })
    }

    /// Size of the largest one-to-one assignment of boxes that overlap enough.
    static func count(_ proposals: [Box], _ wanted: [Box], threshold: Double) throws -> Int {
        if proposals.isEmpty || wanted.isEmpty { return 0 }
        let cost = wanted.flatMap { box in proposals.map { box.iou(with: $0) >= threshold ? -1.0 : 0 } }
        let pairs = try linearAssignment(cost: cost, rows: wanted.count, columns: proposals.count)
        return pairs.count { cost[$0.row * proposals.count + $0.column] < 0 }
    }

    private static func batch(_ pictures: [AnnotatedPicture]) -> PictureBatch {
        let width = pictures.map(\.image.width).max() ?? 1, height = pictures.map(\.image.height).max() ?? 1
        var batch = PictureBatch(count: pictures.count, width: width, height: height)
        for picture in pictures {
            let region = PixelRect(x: 0, y: 0, width: picture.image.width, height: picture.image.height)
            batch.append(picture, PictureView(region: region, width: region.width, height: region.height))
        }
        return batch
    }
}
