import Boxes
import Foundation
import Imaging
import Testing
import Torch
import UPN
import VisionEncoders

@Suite struct ProposalTests {
    static let everything = ProposalFilter(minimumScore: 0, iouThreshold: 1, maximumCount: .max)

    @Test func picturesOfOneBatchKeepTheirOwnPixels() throws {
        let (network, _) = try tinyNetwork()
        let images = [try testImage(width: 300, height: 200), try testImage(width: 50, height: 90, phase: 2)]
        let found = try network.propose(images, filter: Self.everything)
        #expect(found.map(\.count) == [12, 12])
        for (image, proposals) in zip(images, found) {
            #expect(zip(proposals, proposals.dropFirst()).allSatisfy { $0.score >= $1.score })
            let (w, h) = (Double(image.width), Double(image.height))
            #expect(proposals.allSatisfy { (0...w).contains($0.box.center.x) && (0...h).contains($0.box.center.y) })
        }
    }

    @Test func boxesAreScaledToEachPictureAndSorted() throws {
        let boxes = try Tensor(
            [0.5, 0.5, 0.5, 1, 0.1, 0.2, 0.4, 0.2, 0.5, 0.5, 1, 1, 0, 0, 0, 0] as [Float], shape: [2, 2, 4])
        let logits = try Tensor([-2, 0, 1, -1] as [Float], shape: [2, 2])
        let found = try UniversalProposalNetwork.proposals(boxes, logits, sizes: [(100, 50), (8, 16)], .coarse)
        #expect(found.map { $0.map { $0.box.x1.rounded() } } == [[-10, 25], [0, 0]])
        #expect(found[0][1].box == Box(x1: 25, y1: 0, x2: 75, y2: 50))
        #expect(found[1][0].box == Box(x1: 0, y1: 0, x2: 8, y2: 16))
        #expect(found[0][0].score == 0.5 && found[1][0].score > 0.7 && found[0][0].granularity == .coarse)
    }

    @Test func equalPicturesOfABatchGetWhatOneAloneGets() throws {
        let (network, _) = try tinyNetwork()
        let image = try testImage(width: 120, height: 80)
        let alone = try network.propose([image], filter: Self.everything)[0]
        for proposals in try network.propose([image, image], filter: Self.everything) {
            for (one, other) in zip(alone, proposals) {
                #expect(abs(one.score - other.score) < 1e-5)
                #expect(zip(one.box.values(.xyxy), other.box.values(.xyxy)).allSatisfy { abs($0 - $1) < 0.01 })
            }
        }
    }

    @Test func bothGranularitiesAreFilteredTogether() throws {
        let (network, _) = try tinyNetwork()
        let image = try testImage(width: 120, height: 80)
        let fine = try network.propose([image], granularities: [.fine], filter: Self.everything)[0]
        let coarse = try network.propose([image], granularities: [.coarse], filter: Self.everything)[0]
        #expect(fine.map(\.box) != coarse.map(\.box))
        let both = try network.propose([image], granularities: Granularity.allCases, filter: Self.everything)[0]
        #expect(Set(both) == Set(fine + coarse) && both.count == 24)
        #expect(zip(both, both.dropFirst()).allSatisfy { $0.score >= $1.score })
        let few = ProposalFilter(minimumScore: 0, iouThreshold: 0.5, maximumCount: 5)
        #expect(try network.propose([image], granularities: Granularity.allCases, filter: few)[0] == few(both))
    }

    @Test func moreQueriesKeepThePicksAndAddOthers() throws {
        let (network, _) = try tinyNetwork()
        let more = try network.adapted(queryCount: 20, minimumScore: 0.1)
        #expect(more.configuration.queryCount == 20 && more.configuration.minimumScore == 0.1)
        let image = try testImage(width: 96, height: 64)
        #expect(try network.propose([image], filter: Self.everything)[0].count == 12)
        #expect(try more.propose([image], filter: Self.everything)[0].count == 20)
        let memory = try network.encode(Tensor.zeros([1, 3, 64, 96]))
        let (few, many) = (try network.select(memory, .fine), try more.select(memory, .fine))
        #expect(try few.logits.array(of: Float.self) == Array(many.logits.array(of: Float.self).prefix(12)))
        #expect(throws: ConfigurationError.self) { try network.adapted(queryCount: 11) }
    }

    @Test func filtersWithoutAScoreTakeTheNetworks() throws {
        let (network, _) = try tinyNetwork()
        let image = try testImage(width: 96, height: 64)
        let all = try network.propose([image], filter: Self.everything)[0]
        let middle = all[all.count / 2].score
        let found = try network.adapted(minimumScore: middle).propose(
            [image], filter: ProposalFilter(iouThreshold: 1))[0]
        #expect(found.allSatisfy { $0.score >= middle - 1e-6 } && !found.isEmpty && found.count < all.count)
    }

    @Test func noPicturesGiveNoProposals() throws {
        #expect(try tinyNetwork().network.propose([]).isEmpty)
    }

    @Test func aPictureWithFewTokensGetsAsManyQueries() throws {
        let (network, _) = try tinyNetwork()
        // The long side's limit leaves one row of pixels.
        let sliver = try testImage(width: 2000, height: 3)
        let wide = try network.propose([sliver], filter: Self.everything)
        #expect(wide[0].count == 12)
        let memory = try network.encode(Tensor.zeros([1, 3, 8, 8]))
        let output = try network.decode(memory, network.select(memory, .fine), .fine)
        #expect(output.boxes.last?.shape == [1, 6, 4])
    }

    @Test func alphaIsIgnored() throws {
        let (network, _) = try tinyNetwork()
        let opaque = try testImage(width: 96, height: 64)
        var pixels: [UInt8] = []
        for index in stride(from: 0, to: opaque.pixels.count, by: 3) {
            pixels += opaque.pixels[index..<index + 3] + [255]
        }
        let withAlpha = try Image(width: 96, height: 64, channels: 4, pixels: pixels)
        #expect(
            try network.propose([withAlpha], filter: Self.everything)
                == network.propose([opaque], filter: Self.everything))
    }

    // MARK: - Filter

    static func proposal(_ x: Double, _ score: Double) -> Proposal {
        Proposal(box: Box(x: x, y: 0, width: 10, height: 10), score: score, granularity: .fine)
    }

    /// Boxes at 0 and 1 overlap by 9/11, boxes at 0 and 5 by 1/3.
    static let filters: [(ProposalFilter, [Double])] = [
        (ProposalFilter(minimumScore: 0.3), [0.9, 0.5, 0.3]),
        (ProposalFilter(minimumScore: 0.3, iouThreshold: 0.9), [0.9, 0.8, 0.5, 0.3]),
        (ProposalFilter(minimumScore: 0.3, iouThreshold: 1), [0.9, 0.8, 0.5, 0.3]),
        (ProposalFilter(minimumScore: 0.3, iouThreshold: 0.3), [0.9, 0.3]),
        (ProposalFilter(minimumScore: 0.3, maximumCount: 2), [0.9, 0.5]),
        (ProposalFilter(minimumScore: 0.3, maximumCount: 0), []),
        (ProposalFilter(minimumScore: 0.95), []),
    ]

    @Test(arguments: filters) func filtersKeepTheBest(filter: ProposalFilter, scores: [Double]) throws {
        let threshold = Double(Float(0.3))  // as the network would give it
        let proposals = [
            Self.proposal(1, 0.8), Self.proposal(0, 0.9), Self.proposal(5, 0.5), Self.proposal(100, threshold),
            Self.proposal(200, 0.1), Self.proposal(300, .nan), Self.proposal(.nan, 0.99),
        ]
        #expect(try filter(proposals).map { ($0.score * 100).rounded() / 100 } == scores)
    }
}
