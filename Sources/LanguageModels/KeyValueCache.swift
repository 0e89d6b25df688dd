import Torch

/// Keys and values of the positions of one sequence that a decoder has seen, so that each new token costs one position.
public final class KeyValueCache {
    /// The memory of one layer: [1, K, capacity, Dh] twice.
    final class Layer {
        fileprivate var keys: Tensor, values: Tensor

        fileprivate init(keys: Tensor, values: Tensor) {
            (self.keys, self.values) = (keys, values)
        }

        /// Writes [1, K, T, Dh] at slot `start`; returns all slots up to the end of what was written.
        func append(keys newKeys: Tensor, values newValues: Tensor, at start: Int) throws -> (Tensor, Tensor) {
            let count = newKeys.size(2)
            try keys.narrowed(2, from: start, count: count).copy(from: newKeys)
            try values.narrowed(2, from: start, count: count).copy(from: newValues)
            return (
                try keys.narrowed(2, from: 0, count: start + count),
                try values.narrowed(2, from: 0, count: start + count)
            )
        }
    }

    let layers: [Layer]
    /// Slots that hold something.
    public private(set) var length = 0
    /// Slots that there is room for.
    public private(set) var capacity: Int

    /// An empty cache.
    public init(_ configuration: Qwen2Configuration, capacity: Int, dtype: DType = .float32, device: Device = .cpu)
        throws
    {
        self.capacity = capacity
        let shape = [1, configuration.keyValueHeadCount, capacity, configuration.headWidth]
        layers = try (0..<configuration.layerCount).map { _ in
            try Layer(
                keys: Tensor.empty(shape, dtype: dtype, device: device),
                values: Tensor.empty(shape, dtype: dtype, device: device))
        }
    }

    private init(layers: [Layer], length: Int, capacity: Int) {
        (self.layers, self.length, self.capacity) = (layers, length, capacity)
    }

    /// Memory of keys and values, room for more included.
    public var byteCount: Int {
        layers.reduce(0) { $0 + 2 * $1.keys.shape.reduce(1, *) * $1.keys.dtype.byteCount }
    }

    func advance(by count: Int) { length += count }

    /// Makes room for `count` more slots.
    func reserve(_ count: Int) throws {
        guard length + count > capacity else { return }
        capacity = max(length + count, capacity + capacity / 2)
        for layer in layers {
            layer.keys = try resized(layer.keys, to: capacity)
            layer.values = try resized(layer.values, to: capacity)
        }
    }

    /// A copy with room for `room` more slots: many questions continue from one picture.
    public func branched(room: Int) throws -> KeyValueCache {
        let capacity = length + room
        let copies = try layers.map {
            try Layer(keys: resized($0.keys, to: capacity), values: resized($0.values, to: capacity))
        }
        return KeyValueCache(layers: copies, length: length, capacity: capacity)
    }

    private func resized(_ source: Tensor, to capacity: Int) throws -> Tensor {
        let (_, k, _, d) = try source.shape4()
        let target = try Tensor.empty([1, k, capacity, d], dtype: source.dtype, device: source.device)
        try target.narrowed(2, from: 0, count: length).copy(from: source.narrowed(2, from: 0, count: length))
        return target
    }
}
