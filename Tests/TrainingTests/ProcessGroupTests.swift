import Foundation
import Testing
import Torch
import Training

@Suite struct ProcessGroupTests {
    @Test func everyProcessGetsWhatAllHaveTogether() throws {
        let groups = try groups(3)
        let found = try onThreads(3) { rank -> [[Float]] in
            let group = groups[rank], own = Float(rank + 1)
            let sum = try Tensor([own, 10 * own]), most = try Tensor([own, -own])
            try group.allReduce(sum)
            try group.allReduce(most, .maximum)
            let part = try Tensor.zeros([2])
            try group.reduceScatter(Tensor((0..<6).map { Float($0) * own }), into: part)
            let all = try Tensor.zeros([6])
            try group.allGather(Tensor([own, -own]), into: all)
            let told = try Tensor([own])
            try group.broadcast(told, from: 1)
            try group.barrier()
            return try [sum, most, part, all, told].map { try $0.array() }
        }.map { try $0.get() }
        for (rank, values) in found.enumerated() {
            let first = Float(12 * rank)
            #expect(values == [[6, 60], [3, -1], [first, first + 6], [1, -1, 2, -2, 3, -3], [2]])
        }
    }

    @Test func sizesThatDoNotFitAreRefused() throws {
        let groups = try groups(2)
        #expect(throws: ProcessGroupError.self) {
            try groups[0].reduceScatter(Tensor([1, 2, 3] as [Float]), into: Tensor([0] as [Float]))
        }
    }

    @Test func aProcessThatIsGoneEndsTheWaitOfTheOthers() throws {
        var groups = try groups(2).map(Optional.some)
        groups[1] = nil
        let start = ContinuousClock.now
        do {
            try groups[0]?.allReduce(Tensor([1] as [Float]))
            Issue.record("there was nobody to reduce with")
        } catch let error as ProcessGroupError {
            #expect(error.cause == .lost && error.rank == 0 && error.count == 2, "\(error)")
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func aProcessThatDoesNotTakePartIsWaitedForNoLongerThanAgreed() throws {
        let groups = try groups(2, timeout: .seconds(1))
        do {
            try groups[0].allReduce(Tensor([1] as [Float]))
            Issue.record("there was nobody to reduce with")
        } catch let error as ProcessGroupError {
            #expect(error.cause == .timedOut, "\(error)")
        }
        withExtendedLifetime(groups) {}
    }

    @Test(.enabled(if: Device.count(.cuda) == 0)) func withoutCUDAItIsSaidWhatToDo() throws {
        let port = try freePort()
        let outcomes = onThreads(2) { rank in
            try ProcessGroup(ProcessPlace(rank: rank, count: 2, host: "127.0.0.1", port: port), device: .cuda)
        }
        for outcome in outcomes {
            #expect { try outcome.get() } throws: { "\($0)".contains("no CUDA with NCCL; train on the device cpu") }
        }
    }

    @Test func aLaunchersVariablesSayWhereAProcessStands() throws {
        let plain = ["RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "node7", "MASTER_PORT": "29501"]
        let place = try #require(try ProcessPlace(environment: plain))
        #expect((place.rank, place.count, place.host, place.port) == (1, 4, "node7", 29501))
        #expect(!place.hostsStore && place.localRank == 1 && place.localCount == 1)
        let agent = plain.merging([
            "RANK": "0", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2", "TORCHELASTIC_USE_AGENT_STORE": "True",
            "CHATREX_GROUP_TIMEOUT": "7",
        ]) { $1 }
        let first = try #require(try ProcessPlace(environment: agent))
        #expect(!first.hostsStore && first.localCount == 2 && first.timeout == .seconds(7))
        #expect(first.device(.cuda) == Device(.cuda, index: 0) && first.device(.cpu) == .cpu)
        #expect(try ProcessPlace(environment: [:]) == nil)
        #expect(try ProcessPlace(environment: plain.merging(["RANK": "0", "WORLD_SIZE": "1"]) { $1 }) == nil)
    }

    @Test(
        arguments: [
            ("RANK", nil), ("RANK", "4"), ("RANK", "one"), ("WORLD_SIZE", ""), ("WORLD_SIZE", "0"),
            ("MASTER_ADDR", nil),
            ("MASTER_PORT", "99999"), ("LOCAL_RANK", "-1"), ("CHATREX_GROUP_TIMEOUT", "soon"),
        ] as [(String, String?)])
    func variablesThatMakeNoSenseAreNamed(name: String, value: String?) throws {
        var environment = ["RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "node7", "MASTER_PORT": "29501"]
        environment[name] = value
        #expect {
            _ = try ProcessPlace(environment: environment)
        } throws: {
            ($0 as? ProcessGroupError)?.cause == .environment && "\($0)".hasPrefix("\(name) is")
        }
    }
}

@Suite struct ParameterSharesTests {
    @Test(arguments: [([5, 1, 9], 2, 100), ([3, 3, 3, 3], 3, 4), ([1, 1], 4, 100), ([40], 3, 7), ([2, 0, 7], 2, 5)])
    func everyElementIsKeptByOneProcessAndComesBackWhole(counts: [Int], processes: Int, chunk: Int) throws {
        let groups = try groups(processes)
        let owned = try onThreads(processes) { rank -> [ParameterShares.Piece] in
            let shares = ParameterShares(counts: counts, rank: rank, processes: processes, chunk: chunk)
            // Parameter p has the elements 100 p, 100 p + 1, ...; the last parameter has none in the first process.
            let wholes = try counts.enumerated().map { index, count in
                try Tensor((0..<count).map { Float(100 * index + $0) })
            }
            let values = wholes.enumerated().map { rank == 0 && $0 == counts.count - 1 ? nil : $1 }
            let sums = try shares.reduced(values, device: .cpu, groups[rank])
            for (piece, sum) in zip(shares.owned, sums) {
                let factor = piece.index == counts.count - 1 ? processes - 1 : processes
                #expect(
                    try sum.array(of: Float.self) == piece.range.map { Float((100 * piece.index + $0) * factor) })
            }
            let pieces = try shares.owned.map { try Tensor.zeros([$0.range.count]) }
            try shares.scatter({ wholes[$0] }, into: pieces, device: .cpu, groups[rank])
            for (piece, tensor) in zip(shares.owned, pieces) {
                #expect(try tensor.array(of: Float.self) == piece.range.map { Float(100 * piece.index + $0) })
            }
            let gathered = try counts.map { try Tensor.zeros([$0]) }
            try shares.gather(pieces, into: gathered, device: .cpu, groups[rank])
            for (found, wanted) in zip(gathered, wholes) {
                #expect(try found.array(of: Float.self) == wanted.array(of: Float.self))
            }
            return shares.owned
        }.map { try $0.get() }
        let share = (counts.reduce(0, +) + processes - 1) / processes
        for pieces in owned { #expect(pieces.reduce(0) { $0 + $1.range.count } <= share) }
        for (index, count) in counts.enumerated() {
            let parts = owned.flatMap { $0 }.filter { $0.index == index }.flatMap(\.range)
            #expect(parts.sorted() == Array(0..<count))
        }
    }
}
