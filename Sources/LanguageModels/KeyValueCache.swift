import Torch

/// Keys and values of the positions that a decoder has seen, so that each new token costs one position.
public final class KeyValueCache {
    /// The memory of one layer: [B, K, capacity, Dh] twice.
    final class Layer {
        fileprivate var keys: Tensor, values: Tensor

        fileprivate init(keys: Tensor, values: Tensor) {
            (self.keys, self.values) = (keys, values)
        }

        /// Writes [B, K, T, Dh] at slot `start`; returns all slots up to the end of what was written.
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
    public init(
        _ configuration: Qwen2Configuration, batch: Int, capacity: Int, dtype: DType = .float32, device: Device = .cpu
    ) throws {
        self.capacity = capacity
        let shape = [batch, configuration.keyValueHeadCount, capacity, configuration.headWidth]
        layers = try (0..<configuration.layerCount).map { _ in
            // Zeros, since masked slots still take part in the arithmetic and must be finite.
            try Layer(
                keys: Tensor.zeros(shape, dtype: dtype, device: device),
                values: Tensor.zeros(shape, dtype: dtype, device: device))
        }
    }

    private init(layers: [Layer], length: Int, capacity: Int) {
        (self.layers, self.length, self.capacity) = (layers, length, capacity)
    }

    func advance(by count: Int) { length += count }

    /// Makes room for `count` more slots.
    public func reserve(_ count: Int) throws {
        guard length + count > capacity else { return }
        capacity = max(length + count, capacity + capacity / 2)
        for layer in layers {
            layer.keys = try grown(layer.keys)
            layer.values = try grown(layer.values)
        }
    }

    private func grown(_ source: Tensor) throws -> Tensor {
        let (b, k, _, d) = try source.shape4()
        let target = try Tensor.zeros([b, k, capacity, d], dtype: source.dtype, device: source.device)
        try target.narrowed(2, from: 0, count: length).copy(from: source.narrowed(2, from: 0, count: length))
        return target
    }

    /// Forgets everything from a slot on.
    public func truncate(to length: Int) {
        self.length = min(self.length, max(length, 0))
    }

    /// A copy whose first row is repeated for a batch, with room for `room` more slots: many questions share one image.
    public func branched(batch: Int, room: Int) throws -> KeyValueCache {
        let copies = try layers.map { layer in
            func copy(_ source: Tensor) throws -> Tensor {
                let (_, k, _, d) = try source.shape4()
                let target = try Tensor.zeros([batch, k, length + room, d], dtype: source.dtype, device: source.device)
                try target.narrowed(2, from: 0, count: length).copy(from: source[.range(0..<1), .all, .upTo(length)])
                return target
            }
            return try Layer(keys: copy(layer.keys), values: copy(layer.values))
        }
        return KeyValueCache(layers: copies, length: length, capacity: length + room)
    }
}
