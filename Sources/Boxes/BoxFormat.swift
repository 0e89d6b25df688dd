/// How four numbers describe a box.
public enum BoxFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// Left, top, right, bottom: the form of ``Box`` itself.
    case xyxy
    /// Left, top, width, height: COCO files.
    case xywh
    /// Centre x, centre y, width, height: DETR-style networks, YOLO files.
    case cxcywh
}

extension Box {
    /// A box from four numbers of a given format.
    ///
    /// - Throws: ``BoxesError/wrongValueCount(expected:found:)`` unless there are exactly four.
    public init(_ values: [Double], format: BoxFormat) throws(BoxesError) {
        guard values.count == 4 else { throw .wrongValueCount(expected: 4, found: values.count) }
        self.init(values[0], values[1], values[2], values[3], format)
    }

    /// The four numbers in a given format.
    public func values(_ format: BoxFormat) -> [Double] {
        switch format {
        case .xyxy: [x1, y1, x2, y2]
        case .xywh: [x1, y1, width, height]
        case .cxcywh: [center.x, center.y, width, height]
        }
    }

    fileprivate init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ format: BoxFormat) {
        switch format {
        case .xyxy: self.init(x1: a, y1: b, x2: c, y2: d)
        case .xywh: self.init(x: a, y: b, width: c, height: d)
        case .cxcywh: self.init(centerX: a, centerY: b, width: c, height: d)
        }
    }
}

extension Array where Element == Box {
    /// Boxes from the flat contents of an `[N, 4]` tensor or array.
    ///
    /// - Throws: ``BoxesError/wrongValueCount(expected:found:)`` when the count is no multiple of four.
    public init(flat values: [Float], format: BoxFormat) throws(BoxesError) {
        try self.init(flat: values.map(Double.init), format: format)
    }

    /// Boxes from the flat contents of an `[N, 4]` tensor or array.
    ///
    /// - Throws: ``BoxesError/wrongValueCount(expected:found:)`` when the count is no multiple of four.
    public init(flat values: [Double], format: BoxFormat) throws(BoxesError) {
        guard values.count % 4 == 0 else {
            throw .wrongValueCount(expected: (values.count + 3) / 4 * 4, found: values.count)
        }
        self = stride(from: 0, to: values.count, by: 4).map {
            Box(values[$0], values[$0 + 1], values[$0 + 2], values[$0 + 3], format)
        }
    }

    /// All boxes one after the other, the contents of an `[N, 4]` array.
    public func flatValues(_ format: BoxFormat) -> [Double] {
        flatMap { $0.values(format) }
    }
}

extension Box: Codable {
    /// Reads `[x1, y1, x2, y2]`.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        var values: [Double] = []
        while !container.isAtEnd && values.count < 5 { values.append(try container.decode(Double.self)) }
        guard values.count == 4 else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a box needs four numbers [x1, y1, x2, y2]")
        }
        self.init(values[0], values[1], values[2], values[3], .xyxy)
    }

    /// Writes `[x1, y1, x2, y2]`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        for value in values(.xyxy) { try container.encode(value) }
    }
}
