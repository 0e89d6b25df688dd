import DataEngine
import Downloading
import Foundation
import Hummingbird
import Imaging
import NIOCore
import Testing

@Suite("Collecting pictures") struct CollectorTests {
    private func settings(_ change: (inout CollectionSettings) -> Void = { _ in }) -> CollectionSettings {
        var settings = CollectionSettings()
        settings.minimumSide = 8
        change(&settings)
        return settings
    }

    private func item(_ path: String) -> SourceItem { SourceItem(key: "x", location: .file(path: path)) }

    private func drop(_ body: () async throws -> CollectedImage) async -> String {
        do {
            _ = try await body()
            return "kept"
        } catch {
            return (error as? Drop)?.reason ?? "failed: \(error)"
        }
    }

    // MARK: Form

    @Test(
        "JPEG, PNG and WebP files are kept byte for byte",
        arguments: [("gradient.png", "png"), ("orientation-1.jpg", "jpg"), ("lossless.webp", "webp")])
    func kept(name: String, format: String) async throws {
        try await withCollectionFolder { folder in
            let bytes = try imagingFixture(name)
            let collected = try await Collector(settings { $0.maximumAspectRatio = 100 })
                .collect(item(folder.adding(name, bytes)))
            #expect(collected.bytes == bytes && collected.format == format)
            #expect(collected.sha256.count == 64)
        }
    }

    @Test(
        "What trainers do not read is encoded anew, upright",
        arguments: [
            ("corners.heic", "jpg"), ("tiled.tif", "png"), ("still.gif", "png"), ("animated.gif", "png"),
            ("cmyk.jpg", "jpg"),
            ("orientation-6.jpg", "jpg"), ("rgb16.png", "png"),
        ])
    func encoded(name: String, format: String) async throws {
        if name.hasSuffix("heic"), !ImagingSupport.reads(.heic) { return }
        try await withCollectionFolder { folder in
            let bytes = try imagingFixture(name)
            let original = try Image(decoding: bytes)
            let collected = try await Collector(settings { ($0.minimumSide, $0.maximumAspectRatio) = (1, 100) })
                .collect(item(folder.adding(name, bytes)))
            #expect(collected.format == format && collected.bytes != bytes)
            let header = try ImageHeader(decoding: collected.bytes)
            #expect(header.orientation == .up && !header.isCMYK && header.bitsPerSample == 8)
            #expect((header.width, header.height) == (original.width, original.height))
            #expect((collected.width, collected.height) == (original.width, original.height))
            if format == "png" { #expect(try Image(decoding: collected.bytes) == original) }
        }
    }

    @Test("Large pictures are scaled where that is wanted")
    func scaled() async throws {
        try await withCollectionFolder { folder in
            let file = try folder.adding("x.png", testPicture(width: 300, height: 151, seed: 1).encoded(as: .png))
            let collected = try await Collector(settings { $0.longestSide = 100 }).collect(item(file))
            #expect((collected.width, collected.height, collected.format) == (100, 50, "png"))
            let whole = try await Collector(settings()).collect(item(file))
            #expect((whole.width, whole.height) == (300, 151))
            #expect(collected.perceptualHash == whole.perceptualHash)
        }
    }

    @Test("A member of an archive is had from its place")
    func member() async throws {
        try await withCollectionFolder { folder in
            let picture = try testPicture(width: 64, height: 64, seed: 2).encoded(as: .png)
            let archive = try folder.adding("x.tar", tarArchive([("a.txt", [1]), ("b.png", picture), ("c.png", [1])]))
            let items = try await walk(Source.open(archive)).items
            let collector = try Collector(settings())
            #expect(try await collector.collect(items[0]).bytes == picture)
            #expect(await drop { try await collector.collect(items[1]) } == DropReason.noPicture)
            // An archive that is another by now is a failure, not a verdict about the picture.
            try folder.adding("x.tar", [1])
            await #expect(throws: CollectionError.self) { try await collector.collect(items[0]) }
            await #expect(throws: CollectionError.self) {
                try await collector.collect(item(folder.path + "/missing.png"))
            }
        }
    }

    // MARK: Filters

    @Test("Pictures that are not wanted are dropped by name")
    func filters() async throws {
        try await withCollectionFolder { folder in
            func file(_ width: Int, _ height: Int) throws -> String {
                try folder.adding(
                    "\(width)x\(height).png", testPicture(width: width, height: height, seed: 3).encoded(as: .png))
            }
            let collector = try Collector(
                settings {
                    ($0.minimumSide, $0.maximumAspectRatio, $0.maximumPixels, $0.maximumBytes) = (
                        32, 3, 20_000, 200_000
                    )
                })
            func reason(_ path: String) async -> String { await drop { try await collector.collect(item(path)) } }
            #expect(await reason(try file(32, 96)) == "kept")
            #expect(await reason(try file(31, 90)) == DropReason.tooSmall)
            #expect(await reason(try file(32, 97)) == DropReason.tooLong)
            #expect(await reason(try file(200, 101)) == DropReason.tooManyPixels)
            #expect(
                await reason(try folder.adding("x.jpg", [UInt8](repeating: 0, count: 200_001)))
                    == DropReason.tooManyBytes)
            #expect(await reason(try folder.adding("page.jpg", "<!doctype html><html>")) == DropReason.noPicture)
            #expect(
                await reason(try folder.adding("vector.png", "<svg xmlns='http://www.w3.org/2000/svg'/>"))
                    == DropReason.noPicture)
            #expect(await reason(try folder.adding("empty.png", "")) == DropReason.noPicture)
            let whole = try testPicture(width: 100, height: 100, seed: 4).encoded(as: .jpeg())
            #expect(
                await reason(try folder.adding("cut.jpg", Array(whole.prefix(whole.count * 2 / 3))))
                    == DropReason.damaged)
            for name in DropReason.all { #expect(!name.isEmpty) }
            #expect(Set(DropReason.all).count == DropReason.all.count)
        }
    }

    @Test("What the source says is believed before anything is fetched")
    func statements() async throws {
        let collector = try Collector(settings { ($0.maximumUnsafeScore, $0.maximumWatermarkScore) = (0.4, 0.8) })
        let changes: [(outcome: String, (inout SourceItem) -> Void)] = [
            (DropReason.notSafe, { $0.unsafeScore = 0.41 }), (DropReason.watermark, { $0.watermarkScore = 0.9 }),
            (DropReason.tooSmall, { ($0.width, $0.height) = (4, 100) }),
            ("failed", { ($0.unsafeScore, $0.watermarkScore, $0.height) = (0.4, 0.8, 4) }),
        ]
        for (outcome, change) in changes {
            // Nothing is there, so that fetching fails.
            var item = item("/missing.png")
            change(&item)
            let stated = item
            let found = await drop { try await collector.collect(stated) }
            #expect(found.hasPrefix(outcome))
        }
    }

    private struct Judge: LowContentJudge {
        let probability: Double
        func lowContentProbability(_ image: Image) async throws -> Double { probability }
    }

    @Test("The classifier decides by the threshold")
    func lowContent() async throws {
        try await withCollectionFolder { folder in
            let file = try folder.adding("x.png", testPicture(width: 64, height: 64, seed: 5).encoded(as: .png))
            for (probability, threshold, reason) in [
                (0.5, 0.5, "kept"), (0.51, 0.5, DropReason.lowContent), (.nan, 0.5, DropReason.lowContent),
                (1, 1, "kept"),
            ] {
                let collector = try Collector(
                    settings { $0.lowContentThreshold = threshold }, judge: Judge(probability: probability))
                #expect(await drop { try await collector.collect(item(file)) } == reason)
            }
        }
    }

    @Test("Settings that mean nothing are named")
    func badSettings() {
        let changes: [(String, (inout CollectionSettings) -> Void)] = [
            ("minimumSide", { $0.minimumSide = 0 }), ("maximumAspectRatio", { $0.maximumAspectRatio = .nan }),
            ("lowContentThreshold", { $0.lowContentThreshold = 2 }), ("longestSide", { $0.longestSide = 3 }),
            ("nearDuplicateBits", { $0.nearDuplicateBits = 12 }), ("download.attempts", { $0.download.attempts = 0 }),
        ]
        for (name, change) in changes {
            #expect {
                try settings(change).validate()
            } throws: {
                if case CollectionError.invalidSetting(name, _) = $0 { true } else { false }
            }
        }
    }

    // MARK: Other servers

    @Test("What a server answers is a picture, a drop or a failure")
    func server() async throws {
        let picture = try testPicture(width: 64, height: 64, seed: 6).encoded(as: .png)
        let router = Router()
        router.get("robots.txt") { _, _ in "User-agent: *\nDisallow: /private" }
        router.get("good.png") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "image/png"], body: .init(byteBuffer: ByteBuffer(bytes: picture)))
        }
        router.get("page.png") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/html"], body: .init(byteBuffer: ByteBuffer(string: "<html>"))
            )
        }
        router.get("long.png") { _, _ in String(repeating: "x", count: 300_000) }
        for code in [403, 410, 500] { router.get("\(code)") { _, _ in Response(status: .init(code: code)) } }
        router.get("inward") { _, _ in Response(status: .found, headers: [.location: "http://10.0.0.1/x.png"]) }
        let (ports, feed) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { feed.yield($0.localAddress?.port ?? 0) })
        let running = Task { try? await application.run() }
        defer { running.cancel() }
        let port = try #require(await ports.first { _ in true })

        var download = DownloadSettings()
        (download.firstWait, download.attempts, download.byteLimit) = (0.01, 2, 200_000)
        (download.secondsBetweenRequests, download.timeLimit) = (0, 120)
        let session = try DownloadSession(download) { $0.ipAddress == "127.0.0.1" }
        let collector = try Collector(settings(), session: session)
        for (path, outcome) in [
            ("good.png", "kept"), ("page.png", DropReason.noPicture), ("long.png", DropReason.tooManyBytes),
            ("missing", DropReason.gone), ("410", DropReason.gone), ("403", DropReason.refused),
            ("private/x", DropReason.robots),
            ("inward", DropReason.address), ("500", "failed"),
        ] {
            let item = SourceItem(key: "x", location: .url("http://127.0.0.1:\(port)/\(path)"))
            #expect(await drop { try await collector.collect(item) }.hasPrefix(outcome), "\(path)")
        }
        for address in ["http://10.0.0.1/x.png", "file:///etc/passwd", "http://user:secret@example.org/"] {
            let item = SourceItem(key: "x", location: .url(address))
            #expect(await drop { try await collector.collect(item) } == DropReason.address)
        }
    }
}
