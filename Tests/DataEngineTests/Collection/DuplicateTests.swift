import DataEngine
import Foundation
import GRDB
import Imaging
import Testing

@Suite("Pictures that look the same") struct PerceptualHashTests {
    @Test("Scaled and recompressed copies stay within the default distance, different pictures lie far beyond")
    func copies() throws {
        var pictures = try examplePhotographs().map(\.image)
        for seed in 0..<6 { pictures.append(try testPicture(width: 240, height: 180, seed: seed)) }
        let limit = CollectionSettings().nearDuplicateBits
        let hashes = try pictures.map { try $0.perceptualHash() }
        for (picture, hash) in zip(pictures, hashes) {
            let copies = [
                try Image(decoding: picture.encoded(as: .jpeg(quality: 50))),
                try Image(decoding: picture.encoded(as: .webp(quality: 60))),
                try picture.resized(width: picture.width / 2, height: picture.height / 2),
                try picture.resized(width: picture.width * 3 / 2, height: picture.height * 3 / 2),
            ]
            for copy in copies { #expect((try copy.perceptualHash() ^ hash).nonzeroBitCount <= limit) }
        }
        for (index, hash) in hashes.enumerated() {
            for other in hashes[..<index] { #expect((hash ^ other).nonzeroBitCount > 2 * limit) }
        }
    }

    @Test("A picture of one colour has the hash 0, and alpha plays no part")
    func plain() throws {
        #expect(try Image(width: 50, height: 40, filledWith: .white).perceptualHash() == 0)
        #expect(try Image(width: 1, height: 1, filledWith: .black).perceptualHash() == 0)
        let picture = try testPicture(width: 60, height: 40, seed: 1)
        let opaque = try Image(decoding: picture.encoded(as: .png), channels: .rgba)
        #expect(try opaque.perceptualHash() == picture.perceptualHash())
    }
}

@Suite("Index of duplicates") struct DuplicateIndexTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private struct Entry {
        let sha256: String
        let hash: UInt64
    }

    /// Hashes in clusters, some of them of equal files.
    private func entries(_ count: Int, _ generator: inout Generator) -> [Entry] {
        var entries: [Entry] = []
        for index in 0..<count {
            var hash = generator.next()
            var sha256 = "\(index)"
            if let model = entries.randomElement(using: &generator), Bool.random(using: &generator) {
                hash = model.hash
                for _ in 0..<Int.random(in: 0...14, using: &generator) {
                    hash ^= 1 << UInt64.random(in: 0..<64, using: &generator)
                }
                if Int.random(in: 0..<5, using: &generator) == 0 { sha256 = model.sha256 }
            }
            entries.append(Entry(sha256: sha256, hash: hash))
        }
        return entries
    }

    private func bruteForce(_ entries: [Entry], _ distance: Int?) -> [DuplicateIndex.Judgement] {
        var kept: [Int] = []
        return entries.enumerated().map { index, entry in
            if let equal = kept.first(where: { entries[$0].sha256 == entry.sha256 }) { return .equal(of: Int64(equal)) }
            if let distance {
                let near = kept.map { (apart: (entries[$0].hash ^ entry.hash).nonzeroBitCount, ordinal: $0) }
                    .filter { $0.apart <= distance }.min { ($0.apart, $0.ordinal) < ($1.apart, $1.ordinal) }
                if let near { return .near(of: Int64(near.ordinal), distance: near.apart) }
            }
            kept.append(index)
            return .stays
        }
    }

    private func database() throws -> DatabaseQueue {
        let queue = try DatabaseQueue()
        try queue.write { try DuplicateIndex.createTable($0) }
        return queue
    }

    @Test(
        "It judges as comparing all with all does, at every distance", arguments: [nil, 0, 1, 3, 4, 7, 8, 11] as [Int?])
    func bruteForce(distance: Int?) throws {
        var generator = Generator(state: UInt64((distance ?? 20) + 1))
        let entries = entries(400, &generator)
        let index = DuplicateIndex(distance: distance)
        let judged = try database().write { database in
            try entries.enumerated().map {
                try index.judge(ordinal: Int64($0), sha256: $1.sha256, perceptualHash: $1.hash, in: database)
            }
        }
        #expect(judged == bruteForce(entries, distance))
        #expect(judged.contains(.stays) && judged.contains { $0 != .stays })
        #expect((judged[0].drop == nil) && judged.allSatisfy { ($0 == .stays) == ($0.drop == nil) })
    }

    @Test("Going back after a kill, or over what was judged before, changes nothing")
    func again() throws {
        var generator = Generator(state: 99)
        let entries = entries(300, &generator)
        let index = DuplicateIndex(.init())
        let queue = try database()
        var judged = [DuplicateIndex.Judgement?](repeating: nil, count: entries.count)
        var next = 0
        while next < entries.count {
            let ordinal = next
            let judgement = try queue.write {
                try index.judge(
                    ordinal: Int64(ordinal), sha256: entries[ordinal].sha256, perceptualHash: entries[ordinal].hash,
                    in: $0)
            }
            if let former = judged[ordinal] { #expect(judgement == former) }
            judged[ordinal] = judgement
            // Now and then it starts again a little earlier.
            next =
                Int.random(in: 0..<20, using: &generator) == 0
                ? Int.random(in: max(0, next - 10)...next, using: &generator) : next + 1
        }
        #expect(judged == bruteForce(entries, CollectionSettings().nearDuplicateBits).map { $0 })
    }

    @Test("A picture with another conversation is another item, one with the same words is not")
    func conversations() throws {
        let index = DuplicateIndex(.init())
        let first = [ConversationTurn(question: "What is it?", answer: "A dog.")]
        let second = [ConversationTurn(question: "What is it?", answer: "A brown dog.")]
        try database().write { database in
            let steps: [(ordinal: Int64, sha256: String, said: [ConversationTurn]?, DuplicateIndex.Judgement)] = [
                (1, "a", first, .stays), (2, "a", second, .stays), (3, "a", first, .equal(of: 1)),
                // Looks the same, but what is said about it is new.
                (4, "b", first, .stays),
                // Nothing is said about it, so the picture is all there is.
                (5, "c", nil, .near(of: 1, distance: 0)),
            ]
            for (ordinal, sha256, said, wanted) in steps {
                let judgement = try index.judge(
                    ordinal: ordinal, sha256: sha256, perceptualHash: 7, conversation: said, in: database)
                #expect(judgement == wanted)
            }
        }
    }

    @Test("Another file at the second attempt leaves nothing of the first behind")
    func changedFile() throws {
        let index = DuplicateIndex(distance: 0)
        try database().write { database in
            let steps: [(ordinal: Int64, hash: UInt64, DuplicateIndex.Judgement)] = [
                (1, 1, .stays), (2, 2, .stays), (2, 1, .equal(of: 1)), (3, 2, .stays),
            ]
            for (ordinal, hash, wanted) in steps {
                let judgement = try index.judge(ordinal: ordinal, sha256: "\(hash)", perceptualHash: hash, in: database)
                #expect(judgement == wanted)
            }
        }
    }

    @Test("Among 100 000 pictures it looks at few")
    func speed() throws {
        var generator = Generator(state: 5)
        let (filling, index) = (DuplicateIndex(distance: nil), DuplicateIndex(.init()))
        let time = try database().write { database in
            for ordinal in 0..<100_000 {
                _ = try filling.judge(
                    ordinal: Int64(ordinal), sha256: String(ordinal), perceptualHash: generator.next(), in: database)
            }
            let start = ContinuousClock.now
            for ordinal in 100_000..<100_500 {
                _ = try index.judge(
                    ordinal: Int64(ordinal), sha256: String(ordinal), perceptualHash: generator.next(), in: database)
            }
            return ContinuousClock.now - start
        }
        // Comparing with all would take far longer; a tenth of this is usual.
        #expect(time < .seconds(2))
    }
}
