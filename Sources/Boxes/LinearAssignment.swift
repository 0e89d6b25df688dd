/// One pair of an assignment.
public struct AssignedPair: Sendable, Hashable {
    public var row: Int
    public var column: Int

    public init(row: Int, column: Int) {
        self.row = row
        self.column = column
    }
}

/// Pairs rows with columns, each used at most once, so that the sum of the costs is the least possible.
///
/// Shortest augmenting paths with dual prices (Jonker and Volgenant 1987, in the rectangular form of Crouse 2016),
/// O(n³): the same optimum as SciPy's `linear_sum_assignment`.
///
/// - Parameters:
///   - cost: `rows * columns` costs, row by row.
///   - rows: number of rows, for instance predictions.
///   - columns: number of columns, for instance targets.
/// - Returns: `min(rows, columns)` pairs, by ascending row.
/// - Throws: ``BoxesError/wrongCostCount(rows:columns:found:)``, ``BoxesError/unusableCost(row:column:)``.
public func linearAssignment(cost: [Double], rows: Int, columns: Int) throws(BoxesError) -> [AssignedPair] {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard rows >= 0, columns >= 0, !overflow, count == cost.count else {
        throw .wrongCostCount(rows: rows, columns: columns, found: cost.count)
    }
    if let bad = cost.firstIndex(where: { !$0.isFinite }) {
        throw .unusableCost(row: bad / columns, column: bad % columns)
    }
    guard count > 0 else { return [] }
    // The search augments the shorter side along the longer one.
    if rows <= columns {
        var search = ShortestAugmentingPaths(cost: cost, agents: rows, tasks: columns)
        let taskOfAgent = try search.solve()
        return taskOfAgent.enumerated().map { AssignedPair(row: $0.offset, column: $0.element) }
    }
    var transposed = [Double](repeating: 0, count: count)
    for row in 0..<rows {
        for column in 0..<columns { transposed[column * rows + row] = cost[row * columns + column] }
    }
    var search = ShortestAugmentingPaths(cost: transposed, agents: columns, tasks: rows)
    do {
        let rowOfColumn = try search.solve()
        return rowOfColumn.enumerated().map { AssignedPair(row: $0.element, column: $0.offset) }
            .sorted { $0.row < $1.row }
    } catch .unusableCost(let agent, let task) {
        throw .unusableCost(row: task, column: agent)
    }
}

/// Pairs rows with columns at least total cost; see the overload over `Double`, in which the sums are formed.
public func linearAssignment(cost: [Float], rows: Int, columns: Int) throws(BoxesError) -> [AssignedPair] {
    try linearAssignment(cost: cost.map(Double.init), rows: rows, columns: columns)
}

/// Assigns every agent a task of its own; needs `agents <= tasks`.
private struct ShortestAugmentingPaths {
    let cost: [Double]  // [agents, tasks]
    let agents: Int, tasks: Int
    /// Dual prices: `cost - agentPrice - taskPrice >= 0` holds for every pair, and is 0 for assigned ones.
    var agentPrice: [Double], taskPrice: [Double]
    var taskOfAgent: [Int], agentOfTask: [Int]

    init(cost: [Double], agents: Int, tasks: Int) {
        self.cost = cost
        self.agents = agents
        self.tasks = tasks
        agentPrice = [Double](repeating: 0, count: agents)
        taskPrice = [Double](repeating: 0, count: tasks)
        taskOfAgent = [Int](repeating: -1, count: agents)
        agentOfTask = [Int](repeating: -1, count: tasks)
    }

    mutating func solve() throws(BoxesError) -> [Int] {
        for agent in 0..<agents { try assign(agent) }
        return taskOfAgent
    }

    /// One Dijkstra search over reduced costs from an unassigned agent to the nearest free task.
    private mutating func assign(_ start: Int) throws(BoxesError) {
        var distance = [Double](repeating: .infinity, count: tasks)
        var previousAgent = [Int](repeating: -1, count: tasks)
        var open = Array(0..<tasks)  // tasks not settled yet
        var settled: [Int] = []
        var agent = start
        var reached = 0.0
        var end = -1
        while end < 0 {
            let (slot, nearest) = relax(from: agent, reached, open, &distance, &previousAgent)
            guard distance[nearest].isFinite else { throw .unusableCost(row: agent, column: nearest) }
            reached = distance[nearest]
            open.swapAt(slot, open.count - 1)
            open.removeLast()
            settled.append(nearest)
            if agentOfTask[nearest] < 0 { end = nearest } else { agent = agentOfTask[nearest] }
        }
        updatePrices(start, settled, distance, reached)
        augment(from: start, to: end, previousAgent)
    }

    /// Lowers distances through `agent` and finds the nearest open task, a free one where several are equally near.
    private func relax(
        from agent: Int, _ reached: Double, _ open: [Int], _ distance: inout [Double], _ previousAgent: inout [Int]
    ) -> (slot: Int, task: Int) {
        let base = reached - agentPrice[agent]
        let row = agent * tasks
        var best = 0
        var lowest = Double.infinity
        for slot in open.indices {
            let task = open[slot]
            let through = base + cost[row + task] - taskPrice[task]
            if through < distance[task] {
                distance[task] = through
                previousAgent[task] = agent
            }
            if distance[task] < lowest || (distance[task] == lowest && agentOfTask[task] < 0) {
                lowest = distance[task]
                best = slot
            }
        }
        return (best, open[best])
    }

    private mutating func updatePrices(_ start: Int, _ settled: [Int], _ distance: [Double], _ reached: Double) {
        agentPrice[start] += reached
        for task in settled.dropLast() {
            agentPrice[agentOfTask[task]] += reached - distance[task]
            taskPrice[task] -= reached - distance[task]
        }
    }

    private mutating func augment(from start: Int, to end: Int, _ previousAgent: [Int]) {
        var task = end
        while true {
            let agent = previousAgent[task]
            agentOfTask[task] = agent
            (taskOfAgent[agent], task) = (task, taskOfAgent[agent])
            if agent == start { return }
        }
    }
}
