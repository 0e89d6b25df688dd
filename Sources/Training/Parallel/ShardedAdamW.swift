import Torch
import TorchNN

/// AdamW for a model that several processes train: each keeps the moments of its share of all elements, updates these, and
/// hands them to the others. Alone it is `AdamW`.
final class ShardedAdamW {
    /// Over all parameters when alone, else over views of the owned pieces.
    private let inner: AdamW
    private let parallel: DataParallel
    private let sharing: Sharing?

    private struct Sharing {
        let shares: ParameterShares
        let group: ProcessGroup
        let parameters: [(name: String, tensor: Tensor)]
        /// Each parameter in a row; shares the parameter's memory.
        let flat: [Tensor]
        /// What this process updates, one view for each of `shares.owned`.
        let views: [Tensor]
        let device: Device
    }

    init(_ groups: [AdamW.Group], _ parallel: DataParallel) throws {
        self.parallel = parallel
        guard let collectives = parallel.collectives else {
            (inner, sharing) = (try AdamW(groups), nil)
            return
        }
        let parameters = groups.flatMap(\.parameters)
        let flat = try withoutGradients { try parameters.map { try Self.flat($0.tensor) } }
        let shares = ParameterShares(
            counts: parameters.map(\.tensor.count), rank: parallel.rank, processes: parallel.count)
        let views = try shares.owned.map {
            try flat[$0.index].narrowed(0, from: $0.range.lowerBound, count: $0.range.count)
        }
        var first = 0
        let owned = groups.map { group in
            let range = first..<first + group.parameters.count
            first = range.upperBound
            return AdamW.Group(
                zip(shares.owned, views).filter { range.contains($0.0.index) }.map {
                    (parameters[$0.0.index].name, $0.1)
                }, rateScale: group.rateScale, weightDecay: group.weightDecay)
        }
        inner = try AdamW(owned)
        sharing = Sharing(
            shares: shares, group: collectives, parameters: parameters, flat: flat, views: views,
            device: parameters.first?.tensor.device ?? .cpu)
    }

    /// A parameter's elements in a row, in its own memory.
    private static func flat(_ parameter: Tensor) throws -> Tensor {
        if !parameter.isContiguous { try parameter.setData(parameter.detached().contiguous()) }
        return try parameter.detached().reshaped(-1)
    }

    /// Steps taken so far.
    var stepCount: Int { inner.stepCount }

    /// Sums the gradients of all processes, then scales them so that their joint norm is at most `limit`.
    /// - Returns: the norm before, the same for every process; not finite when a gradient is not.
    func clipGradients(to limit: Double) throws -> Double {
        guard let sharing else { return try inner.clipGradients(to: limit) }
        try withoutGradients { try sum(sharing) }
        return try inner.clipGradients(to: limit) { [parallel] own in try parallel.sum([own * own])[0].squareRoot() }
    }

    /// A parameter has a gradient where any process has one for it.
    private func sum(_ sharing: Sharing) throws {
        let gradients = sharing.parameters.map(\.tensor.gradient)
        let presence = try Tensor(gradients.map { $0 == nil ? 0 : 1 as Float })
        try sharing.group.allReduce(presence, .maximum)
        let isPresent = try presence.array(of: Float.self).map { $0 > 0 }
        let sums = try sharing.shares.reduced(
            gradients.map { try $0?.detached().reshaped(-1) }, device: sharing.device, sharing.group)
        for (piece, (view, sum)) in zip(sharing.shares.owned, zip(sharing.views, sums)) {
            try view.setGradient(isPresent[piece.index] ? sum.converted(to: view.dtype) : nil)
        }
    }

    /// Applies the gradients that `clipGradients` left.
    func step(learningRate: Double) throws {
        try inner.step(learningRate: learningRate)
        guard let sharing else { return }
        try withoutGradients {
            try sharing.shares.gather(sharing.views, into: sharing.flat, device: sharing.device, sharing.group)
        }
    }

    /// Drops all gradients.
    func clearGradients() throws {
        try inner.clearGradients()
        for parameter in sharing?.parameters ?? [] { try parameter.tensor.setGradient(nil) }
    }

    /// The whole state, as one process would have it, in the first process; nothing in the others.
    func state() throws -> [(name: String, tensor: Tensor)] {
        guard let sharing else { return inner.state }
        var state: [(name: String, tensor: Tensor)] = []
        for (kind, moments) in zip(Self.kinds, moments) {
            let wholes = try sharing.parameters.map { parameter in
                parallel.isFirst ? try Tensor.zeros([parameter.tensor.count]) : nil
            }
            try sharing.shares.gather(moments, into: wholes, device: sharing.device, sharing.group)
            for (parameter, whole) in zip(sharing.parameters, wholes) {
                if let whole { state.append((kind + parameter.name, try whole.reshaped(parameter.tensor.shape))) }
            }
        }
        return state
    }

    /// Restores what `state` and `stepCount` gave, to this or another number of processes.
    /// - Parameter tensor: asked in the first process alone.
    func restore(stepCount: Int, _ tensor: (String) throws -> Tensor) throws {
        guard let sharing else { return try inner.restore(stepCount: stepCount, tensor) }
        for (kind, moments) in zip(Self.kinds, moments) {
            try sharing.shares.scatter(
                { try tensor(kind + sharing.parameters[$0].name).reshaped(-1) }, into: moments, device: sharing.device,
                sharing.group)
        }
        inner.stepCount = stepCount
    }

    private static let kinds = ["first.", "second."]

    /// First and second moments, one for each piece that is kept here.
    private var moments: [[Tensor]] {
        Self.kinds.map { kind in inner.state.filter { $0.name.hasPrefix(kind) }.map(\.tensor) }
    }
}
