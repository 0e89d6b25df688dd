import Annotations
import Boxes
import DataEngine
import Foundation
import Imaging
import Synchronization
import Testing

/// A source of numbered pictures.
private struct NumberedSource: ItemSource {
    var count: Int
    var damage: SourceDamage?

    func forEachItem(
        onDamage: @escaping @Sendable (SourceDamage) -> Void, _ body: @Sendable (SourceItem) async throws -> Void
    ) async throws {
        if let damage { onDamage(damage) }
        for number in 0..<count {
            try await body(
                SourceItem(key: String(format: "p%05d", number), location: .url("\(number)"), text: "A dog \(number)."))
        }
    }
}

/// Draws the pictures of `NumberedSource`, some of which are dropped, fail or look the same.
private struct DrawnPictures: ImageCollector {
    var delay: Duration = .zero
    var collected: CollectedCount?

    func collect(_ item: SourceItem) async throws -> CollectedImage {
        guard case .url(let text) = item.location, let number = Int(text) else { throw Drop("no number") }
        if delay > .zero { try await Task.sleep(for: delay) }
        collected?.note()
        if number % 10 == 3 { throw Drop("too small", detail: "\(number)") }
        if number % 10 == 4 { throw Broken() }
        // 7 is a copy of 6, 17 of 16, and so on.
        let shade = number % 10 == 7 ? number - 1 : number
        let image = try Image(
            width: 8, height: 8, channels: 3,
            pixels: (0..<192).map { UInt8(truncatingIfNeeded: shade &* 37 &+ $0 &* (shade / 256 + 1)) })
        let bytes = try image.encoded(as: .png)
        return CollectedImage(
            bytes: bytes, format: "png", width: 8, height: 8, sha256: Annotation.digest(of: bytes),
            perceptualHash: UInt64(shade))
    }
}

private final class CollectedCount: Sendable {
    private let count = Mutex(0)
    func note() { count.withLock { $0 += 1 } }
    var value: Int { count.withLock { $0 } }
}

private struct Broken: Error, CustomStringConvertible { var description: String { "a broken line" } }

private func temporaryFolder() throws -> URL {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("engine-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
}

private func modules(_ collector: any ImageCollector) -> EngineModules {
    let instant = InstantModules()
    return EngineModules(
        collector: collector, captioner: nil, extractor: instant, grounder: instant, describer: instant,
        refiner: instant)
}

private func run(
    _ count: Int, in folder: URL, collector: any ImageCollector = DrawnPictures(), perShard: Int = 16,
    part: Part = .whole, recipe: String = "{}", damage: SourceDamage? = nil
) throws -> EngineRun {
    var options = EngineOptions(), rules = EngineRules()
    options.picturesPerShard = perShard
    options.failuresInARow = 1000
    rules.refinement.isRegrounded = false
    rules.grounding.minimumSide = 1
    return try EngineRun(
        NumberedSource(count: count, damage: damage), named: "numbers", modules: modules(collector), rules: rules,
        options: options,
        duplicates: DuplicateIndex(distance: nil), recipe: recipe, part: part, folder: folder)
}

/// Every file of the output but the state.
private func output(_ folder: URL) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in ["index.jsonl", "shards.json"] {
        files[name] = try Data(contentsOf: folder.appendingPathComponent(name))
    }
    let shards = folder.appendingPathComponent("shards")
    for name in try FileManager.default.contentsOfDirectory(atPath: shards.path) {
        files[name] = try Data(contentsOf: shards.appendingPathComponent(name))
    }
    return files
}

@Suite struct EngineRunTests {
    @Test func `A folder with something else in it is left alone`() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("x".utf8).write(to: folder.appendingPathComponent("annotations.jsonl"))
        #expect(throws: EngineError.foreignFolder(folder: folder.path, file: "annotations.jsonl")) {
            try run(3, in: folder)
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") } == [
                "annotations.jsonl"
            ])
    }

    @Test func `Every picture ends exactly once as annotated, dropped or failed`() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let damage = SourceDamage(place: "b.tar", reason: "cut off")
        try await run(100, in: folder, damage: damage).run()
        let status = try EngineStatus(OutputFolder(folder))
        #expect(status.pictures == 100)
        #expect(status.annotated == 70)
        #expect(status.drops == ["too small": 10, "duplicate": 10])
        #expect(status.failures == ["collect": 10])
        #expect(status.open == 0 && status.completeParts == 1)
        #expect(status.damages == [damage])
        let lines = try String(contentsOf: folder.appendingPathComponent("index.jsonl"), encoding: .utf8)
            .split(separator: "\n")
        let entries = try lines.map { try JSONDecoder().decode(ShardIndexEntry.self, from: Data($0.utf8)) }
        #expect(Set(entries.map(\.key)).count == 70)
        #expect(entries.map(\.key) == entries.map(\.key).sorted())
        #expect(!entries.contains { $0.key == "p00007" } && entries.contains { $0.key == "p00006" })
        // The index tells where a picture and its annotation are.
        let entry = try #require(entries.dropFirst(20).first)
        let shard = try Data(contentsOf: folder.appendingPathComponent("shards/\(entry.shard)"))
        let text = shard[entry.annotation[0]..<entry.annotation[0] + entry.annotation[1]]
        let annotation = try JSONDecoder().decode(Annotations.Annotation.self, from: text)
        #expect(annotation.key == entry.key && annotation.regions.count == entry.regions)
        let phrase = try #require(annotation.caption?.phrases.first)
        #expect(phrase.text == "dog" && annotation.regions[phrase.regions[0]].category == "dog")
        #expect(annotation.regions[0].referringExpression == "the dog")
        let picture = [UInt8](shard[entry.picture[0]..<entry.picture[0] + entry.picture[1]])
        #expect(Annotation.digest(of: picture) == entry.sha256)
        #expect(try Image(decoding: picture).width == 8)
        // Nothing is kept that is not wanted.
        #expect(
            try FileManager.default.contentsOfDirectory(
                atPath: folder.appendingPathComponent("parts/0-of-1/pictures").path
            ).isEmpty)
    }

    @Test func `A run that is stopped again and again gives the same bytes as one that is left alone`() async throws {
        let (calm, stopped) = (try temporaryFolder(), try temporaryFolder())
        defer { for folder in [calm, stopped] { try? FileManager.default.removeItem(at: folder) } }
        try await run(300, in: calm).run()
        var stops = 0
        while true {
            let task = Task {
                try await run(300, in: stopped, collector: DrawnPictures(delay: .milliseconds(2))).run()
            }
            let timer = Task {
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...60)))
                task.cancel()
            }
            if case .success = await task.result { timer.cancel(); break }
            stops += 1
        }
        #expect(stops > 0)
        #expect(try output(calm) == output(stopped))
        let status = try EngineStatus(OutputFolder(stopped))
        #expect(status.annotated == 210 && status.dropped == 60 && status.failed == 30)
    }

    @Test func `Two parts share the pictures, and the index appears when both are complete`() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await run(200, in: folder, part: try Part(index: 0, of: 2)).run()
        #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("index.jsonl").path))
        try await run(200, in: folder, part: try Part(index: 1, of: 2)).run()
        let status = try EngineStatus(OutputFolder(folder))
        #expect(status.pictures == 200 && status.open == 0 && status.completeParts == 2)
        let index = try String(contentsOf: folder.appendingPathComponent("index.jsonl"), encoding: .utf8)
        #expect(index.split(separator: "\n").count == status.annotated)
    }

    @Test func `Failed pictures are taken up again when that is asked for`() async throws {
        struct Mended: ImageCollector {
            func collect(_ item: SourceItem) async throws -> CollectedImage {
                var item = item
                if case .url(let text) = item.location, text.hasSuffix("4") { item.location = .url(text + "0") }
                return try await DrawnPictures().collect(item)
            }
        }
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await run(50, in: folder).run()
        let before = try output(folder)
        try await run(50, in: folder).run(retriesFailed: true)
        #expect(try EngineStatus(OutputFolder(folder)).failed == 5)
        try await run(50, in: folder, collector: Mended()).run(retriesFailed: true)
        let status = try EngineStatus(OutputFolder(folder))
        #expect(status.failed == 0 && status.annotated == 40)
        // What was written before stays as it is.
        let after = try output(folder)
        for (name, data) in before where name.hasSuffix(".tar") { #expect(after[name] == data) }
    }

    @Test func `A source that has grown gives its new pictures alone`() async throws {
        let folder = try temporaryFolder(), counter = CollectedCount()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await run(40, in: folder).run()
        try await run(60, in: folder, collector: DrawnPictures(collected: counter)).run()
        #expect(counter.value == 0)
        try await run(60, in: folder, collector: DrawnPictures(collected: counter)).run(walksAgain: true)
        #expect(counter.value == 20)
        #expect(try EngineStatus(OutputFolder(folder)).pictures == 60)
    }

    @Test func `A picture whose file was lost is fetched again`() async throws {
        struct Stuck: Error, StopsRun {}
        struct StuckCaptions: ImageCaptioner {
            func caption(_ image: EngineImage) async throws -> String { throw Stuck() }
        }
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var stuck = modules(DrawnPictures())
        stuck.captioner = StuckCaptions()
        let first = stuck
        await #expect(throws: Stuck.self) { try await self.runThree(folder, first) }
        let pictures = folder.appendingPathComponent("parts/0-of-1/pictures/0")
        for name in try FileManager.default.contentsOfDirectory(atPath: pictures.path) {
            try Data("cut".utf8).write(to: pictures.appendingPathComponent(name))
        }
        try await runThree(folder, modules(DrawnPictures()))
        #expect(try EngineStatus(OutputFolder(folder)).annotated == 3)
    }

    private func runThree(_ folder: URL, _ modules: EngineModules) async throws {
        var rules = EngineRules(), options = EngineOptions()
        rules.grounding.minimumSide = 1
        options.width.caption = 1
        try await EngineRun(
            NumberedSource(count: 3), named: "numbers", modules: modules, rules: rules, options: options,
            duplicates: DuplicateIndex(distance: nil), recipe: "{}", folder: folder
        ).run()
    }

    @Test func `A folder goes on only with what it was begun with, and in one process a part`() async throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let first = try run(5, in: folder)
        #expect(throws: EngineError.self) { try run(5, in: folder) }
        try await first.run()
        _ = consume first
        #expect(throws: EngineError.self) { try run(5, in: folder, recipe: "{\"a\":1}") }
        #expect(throws: EngineError.self) { try run(5, in: folder, part: try Part(index: 0, of: 2)) }
        #expect(throws: EngineError.self) { try EngineStatus(OutputFolder(try temporaryFolder())) }
    }

    @Test func `A run in which nothing succeeds ends early and says why`() async throws {
        struct Failing: ImageCollector {
            func collect(_ item: SourceItem) async throws -> CollectedImage { throw Broken() }
        }
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        var options = EngineOptions()
        options.failuresInARow = 20
        let engine = try EngineRun(
            NumberedSource(count: 1000), named: "numbers", modules: modules(Failing()), rules: EngineRules(),
            options: options,
            duplicates: DuplicateIndex(distance: nil), recipe: "{}", folder: folder)
        await #expect(throws: EngineError.nothingSucceeds(stage: "collect", count: 20, last: "a broken line")) {
            try await engine.run()
        }
        let status = try EngineStatus(OutputFolder(folder))
        #expect(status.failed >= 20 && status.failed < 100)
        #expect(status.lastFailures.first?.error == "a broken line")
    }
}
