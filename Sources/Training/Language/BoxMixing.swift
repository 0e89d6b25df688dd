// Which boxes a training picture is shown with: the truth mixed with what a proposal network gives. Paper, section 3.2 (training).

import Boxes
import Imaging
import Scenes

/// Boxes, and which of them show a thing of the picture.
public struct MixedBoxes: Sendable {
    public var boxes: [Box]
    /// Positions in `boxes` of those that show a thing, the best one first, for each thing that has any.
    public var boxesOfObject: [Int: [Int]]
}

public enum BoxMixing {
    /// The truth and every proposal that does not nearly repeat it, at most `limit` in all, in random order.
    ///
    /// - Parameters:
    ///   - proposals: best first
    ///   - overlapLimit: IoU with a true box above which a proposal is dropped
    public static func truth(
        of picture: some PictureTruth, with proposals: [Box], overlapLimit: Double = 0.9, limit: Int = 100,
        _ random: inout SceneRandom
    ) -> MixedBoxes {
        let things = picture.things, truths = things.map(\.box)
        let others = proposals.filter { proposal in !truths.contains { $0.iou(with: proposal) > overlapLimit } }
        let chosen = Array((truths + others).prefix(limit))
        var order = Array(chosen.indices)
        random.shuffle(&order)
        let objects = order.enumerated().filter { $1 < truths.count }.map { (things[$1].id, [$0]) }
        return MixedBoxes(boxes: order.map { chosen[$0] }, boxesOfObject: Dictionary(uniqueKeysWithValues: objects))
    }

    /// The truth alone, from left to right: what is to be written as coordinates needs an order that can be learned.
    public static func truthInReadingOrder(of picture: some PictureTruth) -> MixedBoxes {
        let things = picture.things.sorted { ($0.box.x1, $0.box.y1) < ($1.box.x1, $1.box.y1) }
        return MixedBoxes(
            boxes: things.map(\.box),
            boxesOfObject: Dictionary(uniqueKeysWithValues: things.enumerated().map { ($1.id, [$0]) }))
    }

    /// Proposals alone, as at inference: best first, so that an early index is a surer box. Each object is shown by the proposal that
    /// covers it best, if any does by half; IoUs above 0.7 count alike, and the first of those boxes is meant. Others that cover the same
    /// object by half show it as well.
    public static func proposals(_ proposals: [Box], for picture: some PictureTruth, limit: Int = 100)
        -> MixedBoxes
    {
        let enough = 0.7
        let boxes = Array(proposals.prefix(limit))
        var pairs = picture.things.flatMap { object in
            boxes.enumerated().map { (object: object.id, box: $0, overlap: $1.iou(with: object.box)) }.filter {
                $0.overlap >= 0.5
            }
        }
        pairs.sort { (min($0.overlap, enough), -$0.box) > (min($1.overlap, enough), -$1.box) }
        var boxesOfObject: [Int: [Int]] = [:], taken: Set<Int> = []
        for pair in pairs where boxesOfObject[pair.object] == nil && taken.insert(pair.box).inserted {
            boxesOfObject[pair.object] = [pair.box]
        }
        for pair in pairs where boxesOfObject[pair.object] != nil && taken.insert(pair.box).inserted {
            boxesOfObject[pair.object]?.append(pair.box)
        }
        return MixedBoxes(boxes: boxes, boxesOfObject: boxesOfObject)
    }

    /// Stand-ins for proposals while there is no proposal network: shifted copies of objects, groups, and boxes anywhere.
    public static func imitated(for picture: some PictureTruth, _ random: inout SceneRandom) -> [Box] {
        let (width, height) = (Double(picture.image.width), Double(picture.image.height))
        var boxes = picture.furtherBoxes
        for thing in picture.things where random.chance(0.5) {
            let box = thing.box, shift = random.double(0.05...0.35)
            func moved(_ value: Double, _ side: Double) -> Double { value + random.double(-1...1) * shift * side }
            let (x1, x2) = (moved(box.x1, box.width), moved(box.x2, box.width))
            let (y1, y2) = (moved(box.y1, box.height), moved(box.y2, box.height))
            boxes.append(Box(x1: min(x1, x2), y1: min(y1, y2), x2: max(x1, x2), y2: max(y1, y2)))
        }
        for _ in 0..<random.int(0...6) {
            let (w, h) = (width * random.double(0.05...0.5), height * random.double(0.05...0.5))
            let (x, y) = (random.double(0...1) * (width - w), random.double(0...1) * (height - h))
            boxes.append(Box(x1: x, y1: y, x2: x + w, y2: y + h))
        }
        return boxes.map { $0.clipped(toWidth: width, height: height) }.filter { $0.width >= 2 && $0.height >= 2 }
    }
}
