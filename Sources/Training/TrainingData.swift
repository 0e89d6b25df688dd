import Annotations
import Dispatch
import Foundation
import Imaging
import Scenes
import Synchronization
import UPN

/// Which pictures training sees: scenes that are drawn, and folders of annotated pictures, mixed by weight.
///
/// In a recipe:
///
///     data:
///       scenes: 1
///       folders:
///         - {path: runs/engine, weight: 3}
///         - {path: data/parts, granularity: fine}
public struct TrainingData: Codable, Sendable, Equatable {
    /// A folder that the data engine wrote, or one with `annotations.jsonl`.
    public struct Folder: Codable, Sendable, Equatable {
        public var path: String
        public var weight: Double
        /// The only prompt of a proposal network that its boxes train: `fine` for parts, `coarse` for whole things; both when nil.
        public var granularity: Granularity?

        public init(path: String, weight: Double = 1, granularity: Granularity? = nil) {
            (self.path, self.weight, self.granularity) = (path, weight, granularity)
        }

        public init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            path = try values.decode(String.self, forKey: .path)
            weight = try values.decodeIfPresent(Double.self, forKey: .weight) ?? 1
            granularity = try values.decodeIfPresent(Granularity.self, forKey: .granularity)
        }
    }

    /// How often a scene is taken, against the weights of the folders.
    public var scenes = 1.0
    public var folders: [Folder] = []

    public init() {}

    /// Folders alone, equally often.
    public init(folders: [String]) {
        (scenes, self.folders) = (0, folders.map { Folder(path: $0) })
    }

    func validate() throws {
        let weights = [scenes] + folders.map(\.weight)
        try TrainingError.check(
            weights.allSatisfy { $0 >= 0 && $0.isFinite } && weights.contains { $0 > 0 }, "data",
            "weights must not be negative, and one must be above 0")
    }
}

/// Pictures by number from scenes and folders. Safe to ask from several threads.
public struct TrainingPictures: Sendable {
    /// The scene of a number.
    public typealias SceneSource = @Sendable (Int) -> Scene

    private let scenes: SceneSource
    private let sceneWeight: Double
    private let folders: [(weight: Double, granularity: Granularity?, set: AnnotatedPictures)]
    private let seed: UInt64

    /// Opens the folders and judges their records.
    /// - Parameter isTold: whether the user hears what is in them.
    /// - Throws: `AnnotationsError`, `TrainingError.invalidSetting` for a folder without a usable record.
    public init(_ data: TrainingData, seed: UInt64, isTold: Bool = true, scenes: @escaping SceneSource) throws {
        try data.validate()
        (self.scenes, sceneWeight, self.seed) = (scenes, data.scenes, seed)
        folders = try data.folders.filter { $0.weight > 0 }.map { folder in
            let set = try AnnotatedPictures(AnnotationSets.open(URL(fileURLWithPath: folder.path)), name: folder.path)
            if isTold { ProgressReporter.print(set.summary) }
            return (folder.weight, folder.granularity, set)
        }
    }

    /// The picture of a number: the same one for the same seed.
    /// - Parameter granularity: the prompt that it is to train, where it trains one.
    public func truth(_ number: Int, for granularity: Granularity? = nil) throws -> any PictureTruth {
        let sources = folders.enumerated().filter {
            granularity == nil || $1.granularity == nil || $1.granularity == granularity
        }
        if sources.isEmpty { return scenes(number) }
        var random = SceneRandom(seed: UInt64(bitPattern: Int64(number)), stream: "source/\(seed)")
        var rest = random.unit() * (sceneWeight + sources.reduce(0) { $0 + $1.element.weight })
        for (place, folder) in sources {
            if rest < folder.weight {
                return try folder.set.truth(number, seed: seed &+ UInt64(place))
            }
            rest -= folder.weight
        }
        if sceneWeight == 0, let last = sources.last { return try last.element.set.truth(number, seed: seed) }
        return scenes(number)
    }

    /// The picture of a number with the boxes that a proposal network should find.
    public func picture(_ number: Int, for granularity: Granularity? = nil) throws -> AnnotatedPicture {
        let truth = try truth(number, for: granularity)
        if let scene = truth as? Scene { return AnnotatedPicture(scene) }
        // What annotations name are whole things; those are right at both granularities, unless the folder says otherwise.
        let boxes = truth.things.map(\.box)
        return AnnotatedPicture(image: truth.image, boxes: SceneBoxes(fine: boxes, coarse: boxes))
    }
}

/// The usable records of a set in an order of their own for each pass over them.
public struct AnnotatedPictures: Sendable {
    /// What was found wrong with records.
    public let report: RecordReport
    private let set: any AnnotationSet
    private let name: String
    /// Numbers of the usable ones.
    private let usable: [Int32]
    /// Names of categories, to be asked for where they are absent.
    let vocabulary: [String]

    /// Reads every annotation once, on all cores; pictures are decoded when they are needed. Memory grows by four bytes a record.
    /// - Throws: `TrainingError.invalidSetting` where none is usable.
    public init(_ set: any AnnotationSet, name: String) throws {
        (self.set, self.name) = (set, name)
        let judgement = try Self.judge(set)
        (report, usable, vocabulary) = (judgement.report, judgement.usable, judgement.categories.sorted())
        try TrainingError.check(
            !usable.isEmpty, "data", "\(name) has no usable record with regions\n\(report)")
    }

    /// What a stretch of a set has.
    private struct Judgement {
        var report = RecordReport()
        var usable: [Int32] = []
        var categories: Set<String> = []

        init() {}

        /// - Throws: other errors than those of single records.
        init(_ set: any AnnotationSet, _ range: Range<Int>) throws {
            for index in range {
                do {
                    let annotation = try set.annotation(at: index)
                    let problems = annotation.problems
                    if var first = problems.first {
                        if problems.count > 1 { first.reason += " (and \(problems.count - 1) more faults)" }
                        report.note(set.place(of: index), first)
                        continue
                    }
                    // A picture without boxes has nothing to point at.
                    if annotation.regions.isEmpty { continue }
                    usable.append(Int32(index))
                    categories.formUnion(annotation.regions.compactMap(\.category))
                } catch AnnotationsError.badRecord(let place, let problem) {
                    report.note(place, problem)
                } catch let error as AnnotationsError {
                    report.note(set.place(of: index), RecordProblem(.unreadable, "\(error)"))
                }
            }
        }
    }

    private static func judge(_ set: any AnnotationSet) throws -> Judgement {
        let count = min(set.count, Int(Int32.max)), stretch = 1024
        let joined = Mutex(JoinedJudgements())
        DispatchQueue.concurrentPerform(iterations: (count + stretch - 1) / stretch) { number in
            let judgement = Result { try Judgement(set, (number * stretch)..<min(count, (number + 1) * stretch)) }
            joined.withLock { $0.add(judgement, number) }
        }
        return try joined.withLock { joined in
            if let failure = joined.failure { throw failure }
            return joined.whole
        }
    }

    /// Joins stretches in their order, whichever is done first.
    private struct JoinedJudgements {
        private(set) var whole = Judgement()
        private(set) var failure: (any Error)?
        private var next = 0
        private var waiting: [Int: Result<Judgement, any Error>] = [:]

        mutating func add(_ judgement: Result<Judgement, any Error>, _ number: Int) {
            waiting[number] = judgement
            while let judgement = waiting.removeValue(forKey: next) {
                next += 1
                switch judgement {
                case .success(let part):
                    whole.report.add(part.report)
                    whole.usable += part.usable
                    whole.categories.formUnion(part.categories)
                case .failure(let error): failure = failure ?? error
                }
            }
        }
    }

    /// Records that training uses.
    public var count: Int { usable.count }

    /// One line, and what is wrong with records where something is.
    var summary: String {
        let faults = report.issueCount == 0 ? "" : "; \(report.issueCount) faulty records are left out: \(report)"
        return "\(name): \(count) of \(set.count) annotated pictures, \(vocabulary.count) categories\(faults)"
    }

    /// The picture of a number: each comes once in `count` consecutive numbers.
    /// - Throws: `TrainingError.unusableData` where no picture near it can be decoded.
    func truth(_ number: Int, seed: UInt64) throws -> AnnotationTruth {
        let order = Shuffle(count: usable.count, seed: seed &+ UInt64(number / usable.count) &* 0x9E37_79B9)
        var failure = ""
        // A picture that turns out to be damaged is stood in for by another.
        for attempt in 0..<min(8, usable.count) {
            let index = Int(usable[order[(number + attempt) % usable.count]])
            do {
                let sample = try set.sample(at: index)
                let image = try Image(decoding: sample.picture)
                guard (image.width, image.height) == (sample.annotation.width, sample.annotation.height) else {
                    throw AnnotationsError.badRecord(
                        place: set.place(of: index),
                        problem: RecordProblem(
                            .pictureSize,
                            "the picture is \(image.width) x \(image.height), the annotation says otherwise"))
                }
                return AnnotationTruth(
                    sample.annotation, image: image, vocabulary: vocabulary,
                    seed: seed &* 0x1_0000_0000 &+ UInt64(number))
            } catch {
                failure = "\(set.place(of: index)): \(error)"
                if attempt == 0 { ProgressReporter.print("left out: \(failure)") }
            }
        }
        throw TrainingError.unusableData(
            path: name, reason: "several pictures in a row cannot be used, such as \(failure)")
    }
}

/// A permutation of 0..<count that takes no memory: a Feistel network over the next square, walked until it falls into the range.
package struct Shuffle {
    private let count: Int, halfBits: Int
    private let keys: [UInt64]

    package init(count: Int, seed: UInt64) {
        self.count = max(1, count)
        let bits = Int.bitWidth - (self.count - 1).leadingZeroBitCount
        halfBits = max(1, (bits + 1) / 2)
        var random = SceneRandom(seed: seed, stream: "order")
        keys = (0..<4).map { _ in random.next() }
    }

    package subscript(_ position: Int) -> Int {
        let mask = UInt64(1) << UInt64(halfBits) - 1
        var value = UInt64(position)
        repeat {
            var (left, right) = (value >> UInt64(halfBits), value & mask)
            for key in keys {
                var mixed = (right ^ key) &* 0xBF58_476D_1CE4_E5B9
                mixed ^= mixed >> 29
                (left, right) = (right, (left ^ mixed) & mask)
            }
            value = left << UInt64(halfBits) | right
        } while value >= UInt64(count)
        return Int(value)
    }
}
