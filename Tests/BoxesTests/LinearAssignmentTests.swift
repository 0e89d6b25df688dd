import Boxes
import Testing

@Suite struct LinearAssignmentTests {
    @Test(arguments: [(1, 1), (1, 5), (4, 2), (3, 3), (5, 6), (6, 4), (6, 6)])
    func `the total equals that of trying every assignment`(rows: Int, columns: Int) throws {
        var random = SplitMix64(state: UInt64(rows * 100 + columns))
        for round in 0..<40 {
            // Few distinct values in every other round: ties everywhere.
            let cost = (0..<rows * columns).map { _ in
                round.isMultiple(of: 2)
                    ? Double.random(in: -5...5, using: &random) : Double(Int.random(in: -1...2, using: &random))
            }
            let pairs = try linearAssignment(cost: cost, rows: rows, columns: columns)
            expectMatching(pairs, rows, columns)
            let total = pairs.reduce(0) { $0 + cost[$1.row * columns + $1.column] }
            #expect(abs(total - cheapest(cost, rows, columns)) < 1e-12)
        }
    }

    @Test func `adding to a row or a column does not change the choice`() throws {
        var random = SplitMix64(state: 7)
        let size = 60
        let cost = (0..<size * size).map { _ in Double.random(in: 0...1, using: &random) }
        let shifted = cost.indices.map { cost[$0] + Double($0 / size) * 3 - Double($0 % size) }
        let pairs = try linearAssignment(cost: cost, rows: size, columns: size)
        #expect(try linearAssignment(cost: shifted, rows: size, columns: size) == pairs)
    }

    @Test func `a hidden free permutation is found at full size, transposed too`() throws {
        var random = SplitMix64(state: 11)
        let (rows, columns) = (900, 100)
        let hidden = Array(Array(0..<rows).shuffled(using: &random).prefix(columns))
        var cost = (0..<rows * columns).map { _ in Float.random(in: 1...2, using: &random) }
        for (column, row) in hidden.enumerated() { cost[row * columns + column] = 0 }
        let pairs = try linearAssignment(cost: cost, rows: rows, columns: columns)
        expectMatching(pairs, rows, columns)
        #expect(pairs.allSatisfy { hidden[$0.column] == $0.row })

        let transposed = (0..<rows * columns).map { cost[$0 % rows * columns + $0 / rows] }
        let mirrored = try linearAssignment(cost: transposed, rows: columns, columns: rows)
        #expect(Set(mirrored.map { AssignedPair(row: $0.column, column: $0.row) }) == Set(pairs))
    }

    @Test func `900 predictions and 100 targets take milliseconds`() throws {
        var random = SplitMix64(state: 3)
        let cost = (0..<90_000).map { _ in Double.random(in: 0...1, using: &random) }
        let clock = ContinuousClock()
        let best = try (0..<5).map { _ in
            try clock.measure { _ = try linearAssignment(cost: cost, rows: 900, columns: 100) }
        }.min()
        // Generous, for debug builds and busy machines; a release build takes about 2 ms.
        #expect(try #require(best) < .milliseconds(1500))
    }

    @Test func `an empty side gives no pairs`() throws {
        #expect(try linearAssignment(cost: [Double](), rows: 0, columns: 5) == [])
        #expect(try linearAssignment(cost: [Double](), rows: 3, columns: 0) == [])
    }

    @Test func `unusable input is an error that names the place`() {
        #expect(throws: BoxesError.unusableCost(row: 1, column: 0)) {
            try linearAssignment(cost: [1, 2, Double.nan, 4], rows: 2, columns: 2)
        }
        #expect(throws: BoxesError.unusableCost(row: 0, column: 1)) {
            try linearAssignment(cost: [1, Float.infinity], rows: 1, columns: 2)
        }
        #expect(throws: BoxesError.wrongCostCount(rows: 2, columns: 3, found: 4)) {
            try linearAssignment(cost: [1.0, 2, 3, 4], rows: 2, columns: 3)
        }
        #expect(throws: BoxesError.wrongCostCount(rows: -1, columns: -4, found: 4)) {
            try linearAssignment(cost: [1.0, 2, 3, 4], rows: -1, columns: -4)
        }
        #expect(throws: BoxesError.wrongCostCount(rows: .max, columns: 3, found: 1)) {
            try linearAssignment(cost: [1.0], rows: .max, columns: 3)
        }
    }

    @Test func `costs too large to add up give an assignment or an error`() {
        var random = SplitMix64(state: 5)
        for _ in 0..<200 {
            let huge = Double.greatestFiniteMagnitude
            let cost = (0..<36).map { _ in Double.random(in: -1...1, using: &random) * huge }
            do {
                expectMatching(try linearAssignment(cost: cost, rows: 6, columns: 6), 6, 6)
            } catch {
                guard case .unusableCost = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    private func expectMatching(_ pairs: [AssignedPair], _ rows: Int, _ columns: Int) {
        #expect(pairs.count == min(rows, columns))
        #expect(Set(pairs.map(\.row)).count == pairs.count && Set(pairs.map(\.column)).count == pairs.count)
        #expect(pairs.map(\.row) == pairs.map(\.row).sorted())
        #expect(pairs.allSatisfy { (0..<rows).contains($0.row) && (0..<columns).contains($0.column) })
    }

    /// Tries all assignments of the shorter side.
    private func cheapest(_ cost: [Double], _ rows: Int, _ columns: Int) -> Double {
        let (agents, tasks) = (min(rows, columns), max(rows, columns))
        func price(_ agent: Int, _ task: Int) -> Double {
            rows <= columns ? cost[agent * columns + task] : cost[task * columns + agent]
        }
        func search(_ agent: Int, _ taken: Set<Int>) -> Double {
            guard agent < agents else { return 0 }
            return (0..<tasks).filter { !taken.contains($0) }
                .map { price(agent, $0) + search(agent + 1, taken.union([$0])) }.min() ?? .infinity
        }
        return search(0, [])
    }
}

/// A seeded generator, so that a failure can be seen again.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
