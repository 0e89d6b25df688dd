// The engine at work on one part: a loop for every stage, each taking from the state what waits for it.
//
// Between two stages stands the database and nothing else, so a slow stage holds back no other, memory does not grow, and a kill
// loses the work that was under way but nothing that was done.

import Foundation
import Imaging
import Synchronization

/// Works on one part of a source until every picture of it is annotated, dropped or failed.
public final class EngineRun: Sendable {
    private let part: Part
    private let source: any ItemSource
    private let work: StageWork
    private let options: EngineOptions
    private let duplicates: DuplicateIndex
    private let folder: OutputFolder
    private let store: EngineStore
    private let pictures: PictureStore
    private let lock: PartLock
    /// Rung when pictures may have come to a stage, or no more will.
    private let bells = Stage.allCases.map { _ in Bell() }
    private let finished = Mutex<Set<Int>>([])
    private let failuresInARow = Mutex<[Stage: Int]>([:])

    /// - Parameters:
    ///   - recipe: everything that decides what comes out, as JSON: a folder goes on only with what it was begun with
    ///   - sourceName: what the source is called
    /// - Throws: `EngineError`.
    public init(
        _ source: any ItemSource, named sourceName: String, modules: EngineModules, rules: EngineRules,
        options: EngineOptions, duplicates: DuplicateIndex, recipe: String, part: Part = .whole, folder url: URL
    ) throws {
        try rules.validate()
        try options.validate()
        (self.source, self.part, self.options, self.duplicates) = (source, part, options, duplicates)
        work = StageWork(modules: modules, rules: rules)
        folder = OutputFolder(url)
        try folder.begin(source: sourceName, parts: part.count, recipe: recipe)
        lock = try PartLock(folder.part(part), part)
        store = try EngineStore(folder.state(of: part))
        pictures = try PictureStore(folder.part(part).appendingPathComponent("pictures", isDirectory: true))
    }

    /// Does what is left to do.
    ///
    /// - Parameters:
    ///   - retriesFailed: takes failed pictures up again
    ///   - walksAgain: looks whether the source has new pictures
    /// - Throws: `EngineError` and what `StopsRun`; `CancellationError`. What was done until then stays done.
    public func run(retriesFailed: Bool = false, walksAgain: Bool = false) async throws {
        if retriesFailed { _ = try await store.reopenFailed() }
        if walksAgain { try await store.reopenWalk() }
        try await removeLeftovers()
        // A picture whose file was lost begins again; nothing else makes a second pass.
        repeat { try await pass() } while try await store.openCount() > 0
        try await removeLeftovers()
        try OutputIndex(folder).writeIfComplete()
    }

    /// What nothing waits for any more.
    private func removeLeftovers() async throws {
        let open = try await store.openOrdinals()
        try pictures.removeAll { open.contains($0) }
        let prefix = ".\(part.name)-"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.shards.path)) ?? []
        where name.hasPrefix(prefix) {
            unlink(folder.shards.appendingPathComponent(name).path)
        }
    }

    private func pass() async throws {
        finished.withLock { $0 = [] }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.walk() }
            for stage in Stage.allCases where stage != .pack {
                group.addTask { try await self.loop(stage) }
            }
            group.addTask { try await self.packLoop() }
            // The first error ends the others' work.
            for try await _ in group {}
        }
    }

    // MARK: The walk

    /// Writes down what the source has; one that was walked to its end is not walked again.
    private func walk() async throws {
        if let start = try await store.walkStart() {
            let buffer = Mutex<[(ordinal: Int, item: SourceItem)]>([]), count = Mutex(start)
            let damages = Mutex<[SourceDamage]>([])
            try await source.forEachItem(onDamage: { damage in damages.withLock { $0.append(damage) } }) { item in
                try Task.checkCancellation()
                let ordinal = count.withLock { count in
                    count += 1
                    return count - 1
                }
                guard part.holds(item.key) else { return }
                let batch = buffer.withLock { buffer -> [(ordinal: Int, item: SourceItem)] in
                    buffer.append((ordinal, item))
                    if buffer.count < 256 { return [] }
                    defer { buffer = [] }
                    return buffer
                }
                if !batch.isEmpty { try await add(batch) }
            }
            try await add(buffer.withLock { $0 })
            for damage in damages.withLock({ $0 }) { try await store.note(damage) }
            try await store.endWalk()
        }
        await end(-1)
    }

    private func add(_ batch: [(ordinal: Int, item: SourceItem)]) async throws {
        try await store.add(batch)
        await bells[0].ring()
    }

    /// Nothing more comes from a stage (the walk: -1) to the next.
    private func end(_ stage: Int) async {
        _ = finished.withLock { $0.insert(stage) }
        for bell in bells { await bell.ring() }
    }

    private func isFinished(_ stage: Int) -> Bool { finished.withLock { $0.contains(stage) } }

    // MARK: Stages

    private enum Event {
        case done(Int)
        case rang
    }

    /// Takes pictures to a stage until no more come.
    private func loop(_ stage: Stage) async throws {
        let bell = bells[stage.rawValue], width = options.width[stage]
        try await withThrowingTaskGroup(of: Event.self) { group in
            var underWay: Set<Int> = [], next: [Int] = [], isListening = false
            while true {
                let rings = await bell.count, isLast = isFinished(stage.rawValue - 1)
                if next.isEmpty { next = try await waiting(stage, besides: underWay).reversed() }
                while underWay.count < width, let ordinal = next.popLast() {
                    underWay.insert(ordinal)
                    group.addTask {
                        try await self.pass(ordinal, stage)
                        return .done(ordinal)
                    }
                }
                if underWay.isEmpty && isLast { break }
                // With room for more, either a picture's end or a picture's arrival goes on.
                if underWay.count < width && !isListening {
                    isListening = true
                    group.addTask {
                        await bell.wait(after: rings)
                        return .rang
                    }
                }
                switch try await group.next() {
                case .done(let ordinal): underWay.remove(ordinal)
                case .rang, nil: isListening = false
                }
                try Task.checkCancellation()
            }
            group.cancelAll()
        }
        await end(stage.rawValue)
    }

    /// The pictures that a stage may take now.
    private func waiting(_ stage: Stage, besides underWay: Set<Int>) async throws -> [Int] {
        let page = 256
        switch stage {
        case .collect where try await store.aheadCount() >= options.ahead: return []
        case .deduplicate:
            return try await store.waiting(for: stage, limit: page + underWay.count, inOrder: true)
                .filter { !underWay.contains($0) }
        default:
            return try await store.waiting(for: stage, limit: page + underWay.count)
                .filter { !underWay.contains($0) }
        }
    }

    /// Takes one picture through a stage.
    private func pass(_ ordinal: Int, _ stage: Stage) async throws {
        let start = ContinuousClock.now
        var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }
        guard let task = try await store.task(ordinal) else { return }
        do {
            switch stage {
            case .collect:
                let image = try await work.modules.collector.collect(task.item)
                try pictures.save(image.bytes, ordinal)
                try await store.finish(stage, ordinal, output: CollectedRecord(image), seconds: seconds)
            case .deduplicate:
                let collected = try task.output(of: .collect, CollectedRecord.self)
                try await store.deduplicate(
                    ordinal, collected, task.item.conversation, by: duplicates, seconds: seconds)
            case .caption:
                let record = try await work.caption(task.item, try picture(task))
                try await store.finish(stage, ordinal, output: record, seconds: seconds)
            case .ground:
                let record = try await work.ground(try task.output(of: .caption, CaptionRecord.self), try picture(task))
                try await store.finish(stage, ordinal, output: record, seconds: seconds)
            case .describe:
                let grounding = try task.output(of: .ground, GroundingRecord.self)
                let record = try await work.describe(grounding, try picture(task))
                try await store.finish(stage, ordinal, output: record, seconds: seconds)
            case .refine:
                let grounding = try task.output(of: .ground, GroundingRecord.self)
                let descriptions = try task.output(of: .describe, DescriptionRecord.self)
                let record = try await work.refine(grounding, descriptions, try picture(task))
                try await store.finish(stage, ordinal, output: record, seconds: seconds)
            case .pack: break
            }
            failuresInARow.withLock { $0[stage] = 0 }
        } catch let drop as Drop {
            try await store.leave(stage, ordinal, .dropped(drop), seconds: seconds)
            pictures.remove(ordinal)
            failuresInARow.withLock { $0[stage] = 0 }
        } catch is LostPicture {
            try await store.restart(ordinal)
        } catch let error where error is any StopsRun || error is CancellationError || Task.isCancelled {
            throw error
        } catch {
            try await store.leave(stage, ordinal, .failed(reason: "\(error)"), seconds: seconds)
            let count = failuresInARow.withLock {
                $0[stage, default: 0] += 1
                return $0[stage, default: 0]
            }
            if count >= options.failuresInARow {
                throw EngineError.nothingSucceeds(stage: stage.name, count: count, last: "\(error)")
            }
        }
        for bell in bells[stage.rawValue...] { await bell.ring() }
    }

    /// A picture was collected but its file is gone or damaged.
    private struct LostPicture: Error {}

    private func picture(_ task: StageTask) throws -> EngineImage {
        let collected = try task.output(of: .collect, CollectedRecord.self)
        guard let bytes = pictures.bytes(task.ordinal, sha256: collected.sha256) else { throw LostPicture() }
        return EngineImage(
            bytes: bytes, format: collected.format, sha256: collected.sha256, image: try Image(decoding: bytes))
    }

    // MARK: Shards

    /// Writes shard after shard, each as soon as all its pictures are there.
    private func packLoop() async throws {
        let bell = bells[Stage.pack.rawValue]
        // A window is a stretch of the source that gives about `picturesPerShard` pictures to each part.
        let length = options.picturesPerShard * part.count
        while true {
            let rings = await bell.count, isLast = isFinished(Stage.refine.rawValue)
            while let shard = try await store.nextShard(windowLength: length) {
                try Task.checkCancellation()
                try await pack(shard)
                await bells[0].ring()
            }
            if isLast { break }
            await bell.wait(after: rings)
            try Task.checkCancellation()
        }
        await end(Stage.pack.rawValue)
    }

    private func pack(_ shard: EngineStore.ShardPlan) async throws {
        let start = ContinuousClock.now
        let name = "\(part.name)-\(shard.round)-" + String(format: "%06d", shard.window)
        var packed: [Int] = []
        var writer = try OutputFolder.accessing(folder.shards) { try ShardWriter(folder: folder.shards, name: name) }
        for ordinal in shard.ordinals {
            guard let task = try await store.task(ordinal) else { continue }
            let collected = try task.output(of: .collect, CollectedRecord.self)
            guard let bytes = pictures.bytes(ordinal, sha256: collected.sha256) else {
                // The shard waits until the picture has come again.
                return try await store.restart(ordinal)
            }
            let annotation = StageWork.annotation(
                task.item, collected, try task.output(of: .caption, CaptionRecord.self),
                try task.output(of: .ground, GroundingRecord.self), try task.output(of: .refine, RefinementRecord.self))
            try OutputFolder.accessing(folder.shards) { try writer.add(annotation, picture: bytes) }
            packed.append(ordinal)
        }
        let summary = try OutputFolder.accessing(folder.shards) { try writer.finish() }
        try await store.finishShard(
            summary, round: shard.round, window: shard.window, packed,
            seconds: (ContinuousClock.now - start) / .seconds(1))
        for ordinal in packed { pictures.remove(ordinal) }
    }
}
