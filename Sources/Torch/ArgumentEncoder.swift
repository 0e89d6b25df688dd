import CTorch

/// Lays Swift arguments out as the C values that an operator call takes, without allocating for tensors and scalars.
enum ArgumentEncoder {
    static func encode(
        _ arguments: [Operator.Argument], _ body: (UnsafeMutableBufferPointer<CTValue>) -> CTStatus
    ) -> CTStatus {
        withUnsafeTemporaryAllocation(of: CTValue.self, capacity: arguments.count) { values in
            var lists = Lists()
            for index in arguments.indices {
                values.initializeElement(at: index, to: value(of: arguments[index], &lists))
            }
            defer { lists.free() }
            return body(values)
        }
    }

    /// Memory of list and text arguments, freed after the call.
    private struct Lists {
        private var blocks: [UnsafeMutableRawPointer] = []

        mutating func store<Source: Collection, Element>(
            _ source: Source, _ convert: (Source.Element) -> Element
        ) -> UnsafeMutablePointer<Element> {
            let block = UnsafeMutablePointer<Element>.allocate(capacity: max(source.count, 1))
            for (index, element) in source.enumerated() { (block + index).initialize(to: convert(element)) }
            blocks.append(UnsafeMutableRawPointer(block))
            return block
        }

        func free() {
            for block in blocks { block.deallocate() }
        }
    }

    private static func value(of argument: Operator.Argument, _ lists: inout Lists) -> CTValue {
        var value = CTValue()
        switch argument {
        case .none, .optional(.none), .dtype(.none), .device(.none):
            value.tag = CT_NONE
        case .default:
            value.tag = CT_DEFAULT
        case .tensor(let tensor), .optional(.some(let tensor)):
            value.tag = CT_TENSOR
            value.tensor = tensor.ref
        case .int(let number):
            value.tag = CT_INT
            value.integer = Int64(number)
        case .dtype(.some(let dtype)):
            value.tag = CT_INT
            value.integer = Int64(dtype.rawValue)
        case .double(let number):
            value.tag = CT_DOUBLE
            value.real = number
        case .bool(let flag):
            value.tag = CT_BOOL
            value.integer = flag ? 1 : 0
        case .string(let text):
            value.tag = CT_STRING
            value.string = UnsafePointer(lists.store(text.utf8CString) { $0 })
        case .device(.some(let device)):
            value.tag = CT_DEVICE
            value.integer = Int64(device.kind.rawValue)
            value.count = Int64(device.index)
        case .ints(let numbers):
            value.tag = CT_INTS
            value.count = Int64(numbers.count)
            value.integers = UnsafePointer(lists.store(numbers) { Int64($0) })
        case .doubles(let numbers):
            value.tag = CT_DOUBLES
            value.count = Int64(numbers.count)
            value.reals = UnsafePointer(lists.store(numbers) { $0 })
        case .bools(let flags):
            value.tag = CT_BOOLS
            value.count = Int64(flags.count)
            value.integers = UnsafePointer(lists.store(flags) { $0 ? 1 : 0 })
        case .tensors(let tensors):
            value.tag = CT_TENSORS
            value.count = Int64(tensors.count)
            value.tensors = lists.store(tensors) { Optional($0.ref) }
        case .optionalTensors(let tensors):
            value.tag = CT_TENSORS
            value.count = Int64(tensors.count)
            value.tensors = lists.store(tensors) { $0?.ref }
        }
        return value
    }
}
