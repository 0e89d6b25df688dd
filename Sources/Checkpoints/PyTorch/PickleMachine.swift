import Foundation

/// Evaluates a pickle without running anything.
///
/// Pickle is a stack language whose `REDUCE` calls any Python function. Here a call builds a value for the few globals
/// in `PickleGlobals` and an opaque object for all others. Opcodes are those that Python writes in protocols 2 to 5; for plain data
/// also those of the older ones, and no global at all.
struct PickleMachine {
    /// What a pickle is for.
    enum Dialect {
        /// Tensors. Byte strings are of no matter.
        case checkpoint
        /// Numbers, texts, lists and dictionaries, also by Python 2, whose texts are byte strings.
        case plainData

        /// How many times as much of everything is allowed. A checkpoint of 10,000 tensors has about 1 MB of pickle and 100,000
        /// objects; the references of RefCOCO have some 20 MB, and remember 2 million texts.
        fileprivate var scale: Int { self == .checkpoint ? 1 : 8 }
    }

    var cursor: ByteCursor
    private let path: String
    private let dialect: Dialect
    private var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]
    private var objects: [PickleObject] = []

    private static let maximumByteCount = 64 << 20
    private static let maximumStackDepth = 1_000_000
    private static let maximumObjectCount = 2_000_000
    private static let maximumMemoCount = 2_000_000

    private init(bytes: UnsafeRawBufferPointer, path: String, _ dialect: Dialect) {
        cursor = ByteCursor(bytes)
        (self.path, self.dialect) = (path, dialect)
    }

    /// - Parameter path: the file, for error messages.
    /// - Throws: `CheckpointError` with kind `malformed`, `unsupported` or `limitExceeded`.
    static func evaluate(
        _ bytes: UnsafeRawBufferPointer, path: String, _ dialect: Dialect = .checkpoint
    ) throws -> PickleResult {
        guard bytes.count <= maximumByteCount * dialect.scale else {
            throw CheckpointError(.limitExceeded, path: path, "a pickle of \(bytes.count) bytes is too large.")
        }
        var machine = PickleMachine(bytes: bytes, path: path, dialect)
        return try machine.run()
    }

    private mutating func run() throws -> PickleResult {
        while true {
            let opcode: UInt8 = try read()
            if opcode == UInt8(ascii: ".") { return PickleResult(root: try pop(), objects: objects) }
            try execute(opcode)
        }
    }

    private mutating func execute(_ opcode: UInt8) throws {
        switch opcode {
        // Framing
        case 0x80:
            let version: UInt8 = try read()
            guard version <= 5, version >= (dialect == .checkpoint ? 2 : 0) else {
                throw unsupported("protocol \(version)")
            }
        case 0x95: _ = try take(8)
        // Scalars
        case UInt8(ascii: "N"): try push(.none)
        case 0x88: try push(.bool(true))
        case 0x89: try push(.bool(false))
        case UInt8(ascii: "J"): try push(.integer(Int(try read() as Int32)))
        case UInt8(ascii: "K"): try push(.integer(Int(try read() as UInt8)))
        case UInt8(ascii: "M"): try push(.integer(Int(try read() as UInt16)))
        case 0x8a: try pushLong(byteCount: Int(try read() as UInt8))
        case 0x8b: try pushLong(byteCount: Int(try read() as Int32))
        case UInt8(ascii: "G"): try push(.real(Double(bitPattern: (try read() as UInt64).byteSwapped)))
        // Strings and bytes
        case 0x8c: try pushString(byteCount: Int(try read() as UInt8))
        case UInt8(ascii: "X"): try pushString(byteCount: Int(try read() as UInt32))
        case 0x8d: try pushString(byteCount: try readSize())
        case UInt8(ascii: "U"), UInt8(ascii: "C"): try pushBytes(byteCount: Int(try read() as UInt8))
        case UInt8(ascii: "T"): try pushBytes(byteCount: Int(try read() as Int32))
        case UInt8(ascii: "B"): try pushBytes(byteCount: Int(try read() as UInt32))
        case 0x8e, 0x96: try pushBytes(byteCount: try readSize())
        // Containers
        case UInt8(ascii: "("): try pushMark()
        case UInt8(ascii: ")"): try push(object: .tuple([]))
        case UInt8(ascii: "t"): try push(object: .tuple(try popToMark()))
        case 0x85: try pushTuple(count: 1)
        case 0x86: try pushTuple(count: 2)
        case 0x87: try pushTuple(count: 3)
        case UInt8(ascii: "]"): try push(object: .list([]))
        case UInt8(ascii: "l"): try push(object: .list(try popToMark()))
        case UInt8(ascii: "a"): try append([try pop()])
        case UInt8(ascii: "e"): try append(try popToMark())
        case UInt8(ascii: "}"): try push(object: .dictionary([]))
        case UInt8(ascii: "d"):
            let items = try popToMark()
            try push(object: .dictionary([]))
            try setItems(items)
        case UInt8(ascii: "s"):
            let value = try pop()
            try setItems([try pop(), value])
        case UInt8(ascii: "u"): try setItems(try popToMark())
        case 0x8f: try push(object: .data)
        case 0x90: _ = try popToMark()
        case 0x91:
            _ = try popToMark()
            try push(object: .data)
        // Stack and memo
        case UInt8(ascii: "0"): try popItemOrMark()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): try push(try top())
        case UInt8(ascii: "q"): try memoise(at: Int(try read() as UInt8))
        case UInt8(ascii: "r"): try memoise(at: Int(try read() as UInt32))
        case 0x94: try memoise(at: memo.count)
        case UInt8(ascii: "h"): try recall(Int(try read() as UInt8))
        case UInt8(ascii: "j"): try recall(Int(try read() as UInt32))
        // Globals and calls
        case UInt8(ascii: "c"): try pushGlobal()
        case 0x93: try pushStackGlobal()
        case UInt8(ascii: "Q"): try pushStorage(try pop())
        case UInt8(ascii: "R"):
            let arguments = try pop()
            try call(try pop(), arguments)
        case 0x81:
            let arguments = try pop()
            try instantiate(try pop(), arguments)
        case 0x92:
            _ = try pop()
            let arguments = try pop()
            try instantiate(try pop(), arguments)
        case UInt8(ascii: "b"):
            _ = try pop()
            guard case .object = try top() else { throw malformed("a state without an object") }
        default:
            guard dialect == .plainData, try executeText(opcode) else {
                throw unsupported("opcode 0x\(String(opcode, radix: 16))")
            }
        }
    }
}

// MARK: - Stack

extension PickleMachine {
    mutating func push(_ value: PickleValue) throws {
        guard stack.count + marks.count < Self.maximumStackDepth * dialect.scale else {
            throw tooLarge("\(Self.maximumStackDepth) stacked values")
        }
        stack.append(value)
    }

    private mutating func pushMark() throws {
        guard stack.count + marks.count < Self.maximumStackDepth * dialect.scale else {
            throw tooLarge("\(Self.maximumStackDepth) stacked values")
        }
        marks.append(stack.count)
    }

    mutating func push(object: PickleObject) throws {
        guard objects.count < Self.maximumObjectCount * dialect.scale else {
            throw tooLarge("\(Self.maximumObjectCount) objects")
        }
        objects.append(object)
        try push(.object(objects.count - 1))
    }

    private func top() throws -> PickleValue {
        guard let value = stack.last, stack.count > marks.last ?? 0 else { throw malformed("the stack is empty") }
        return value
    }

    private mutating func pop() throws -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func popToMark() throws -> [PickleValue] {
        guard let mark = marks.popLast() else { throw malformed("no mark") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func popItemOrMark() throws {
        if marks.last == stack.count { marks.removeLast() } else { _ = try pop() }
    }

    mutating func memoise(at index: Int) throws {
        guard memo.count < Self.maximumMemoCount * dialect.scale else {
            throw tooLarge("\(Self.maximumMemoCount) remembered values")
        }
        memo[index] = try top()
    }

    mutating func recall(_ index: Int) throws {
        guard let value = memo[index] else { throw malformed("nothing was remembered as \(index)") }
        try push(value)
    }
}

// MARK: - Values

extension PickleMachine {
    private mutating func pushLong(byteCount: Int) throws {
        let range = try take(byteCount)
        guard byteCount <= 8 else { return try push(object: .data) }
        var pattern: UInt64 = 0
        for (index, byte) in cursor.bytes[range].enumerated() { pattern |= UInt64(byte) << (8 * index) }
        // Two's complement of `byteCount` bytes: shift up and back to extend the sign.
        let unusedBits = 64 - 8 * byteCount
        try push(.integer(byteCount == 0 ? 0 : Int(Int64(bitPattern: pattern << unusedBits) >> unusedBits)))
    }

    private mutating func pushString(byteCount: Int) throws {
        try push(.string(try text(try take(byteCount))))
    }

    private mutating func pushBytes(byteCount: Int) throws {
        let range = try take(byteCount)
        if dialect == .plainData { try push(.string(legacyText(cursor.bytes[range]))) } else { try push(object: .data) }
    }

    private mutating func pushTuple(count: Int) throws {
        var items: [PickleValue] = []
        for _ in 0..<count { items.append(try pop()) }
        try push(object: .tuple(items.reversed()))
    }

    private mutating func append(_ items: [PickleValue]) throws {
        try modifyTop { object, path in
            switch object {
            case .list(var list):
                object = .data  // gives up the array, so that it grows in place
                list += items
                object = .list(list)
            case .opaque, .data: break
            default:
                throw CheckpointError(
                    .malformed, path: path, "bad pickle: an item is appended to something that is no list.")
            }
        }
    }

    private mutating func setItems(_ items: [PickleValue]) throws {
        guard items.count.isMultiple(of: 2) else { throw malformed("a key without a value") }
        try modifyTop { object, path in
            switch object {
            case .dictionary(var members):
                object = .data  // gives up the array, so that it grows in place
                for index in stride(from: 0, to: items.count, by: 2) {
                    members.append((items[index], items[index + 1]))
                }
                object = .dictionary(members)
            case .opaque, .data: break
            default:
                throw CheckpointError(
                    .malformed, path: path, "bad pickle: a member is set on something that is no dictionary.")
            }
        }
    }

    private mutating func modifyTop(_ body: (inout PickleObject, _ path: String) throws -> Void) throws {
        guard case .object(let index) = try top() else { throw malformed("a container is needed on the stack") }
        try body(&objects[index], path)
    }

    private func object(_ value: PickleValue) -> PickleObject? {
        guard case .object(let index) = value else { return nil }
        return objects[index]
    }

    private func tuple(_ value: PickleValue) -> [PickleValue]? {
        if case .tuple(let items) = object(value) { items } else { nil }
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard let items = tuple(value) else { return nil }
        var integers: [Int] = []
        for item in items {
            guard case .integer(let integer) = item else { return nil }
            integers.append(integer)
        }
        return integers
    }
}

// MARK: - Globals and calls

extension PickleMachine {
    private mutating func pushGlobal() throws {
        guard let module = cursor.takeLine(), let name = cursor.takeLine() else {
            throw malformed("a global has no end")
        }
        try push(global: "\(try text(module)).\(try text(name))")
    }

    private mutating func pushStackGlobal() throws {
        guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
            throw malformed("a global's name is no string")
        }
        try push(global: "\(module).\(name)")
    }

    private mutating func push(global name: String) throws {
        guard dialect == .checkpoint || name == PickleGlobals.orderedDictionary else {
            throw CheckpointError(
                .unknownGlobal(name), path: path,
                "the pickle calls '\(name)', which numbers, texts and lists do not need. Nothing was run.")
        }
        try push(.global(name))
    }

    /// A persistent identifier is `("storage", class, key, location, element count)`.
    private mutating func pushStorage(_ identifier: PickleValue) throws {
        guard let items = tuple(identifier), items.count == 5, case .string("storage") = items[0],
            case .global(let name) = items[1], case .string(let key) = items[2], case .integer(let count) = items[4],
            count >= 0
        else { throw malformed("a persistent identifier is no storage") }
        guard let elementType = PickleGlobals.storageTypes[name] else { return try push(object: .opaque(name)) }
        try push(object: .storage(PickledStorage(elementType: elementType, key: key, elementCount: count)))
    }

    private mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws {
        guard let items = tuple(arguments) else { throw malformed("a call without a tuple of arguments") }
        switch function {
        case .global(PickleGlobals.orderedDictionary) where items.isEmpty: try push(object: .dictionary([]))
        case .global(PickleGlobals.rebuildTensor): try pushTensor(items)
        case .global(PickleGlobals.rebuildParameter):
            guard items.count == 3 else { throw malformed("a parameter needs 3 arguments, not \(items.count)") }
            switch object(items[0]) {
            case .tensor, .opaque: try push(items[0])
            default: throw malformed("a parameter is made of something that is no tensor")
            }
        case .global(let name): try push(object: .opaque(name))
        default: try pushOpaque(like: function)
        }
    }

    private mutating func instantiate(_ type: PickleValue, _ arguments: PickleValue) throws {
        guard let items = tuple(arguments) else { throw malformed("an instance without a tuple of arguments") }
        switch type {
        case .global(PickleGlobals.orderedDictionary) where items.isEmpty: try push(object: .dictionary([]))
        case .global(let name): try push(object: .opaque(name))
        default: try pushOpaque(like: type)
        }
    }

    /// What an opaque object gives when called is as opaque.
    private mutating func pushOpaque(like function: PickleValue) throws {
        guard case .opaque(let name) = object(function) else {
            throw malformed("something is called that is no global")
        }
        try push(object: .opaque(name))
    }

    /// Arguments: storage, offset, sizes, strides, requires_grad, hooks and, in newer files, metadata.
    private mutating func pushTensor(_ arguments: [PickleValue]) throws {
        guard (6...7).contains(arguments.count), case .integer(let offset) = arguments[1],
            let shape = integers(arguments[2]), let strides = integers(arguments[3])
        else { throw malformed("a tensor's arguments are not storage, offset, sizes and strides") }
        switch object(arguments[0]) {
        case .storage(let storage):
            let tensor = PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides)
            try push(object: .tensor(tensor))
        case .opaque(let name): try push(object: .opaque(name))
        default: throw malformed("a tensor is made of something that is no storage")
        }
    }
}

// MARK: - Bytes and errors

extension PickleMachine {
    private mutating func read<Number: FixedWidthInteger>() throws -> Number {
        guard let number = cursor.read(Number.self) else { throw malformed("it ends too early") }
        return number
    }

    private mutating func readSize() throws -> Int {
        guard let size = Int(exactly: try read() as UInt64) else { throw malformed("it ends too early") }
        return size
    }

    private mutating func take(_ count: Int) throws -> Range<Int> {
        guard let range = cursor.take(count) else { throw malformed("it ends too early") }
        return range
    }

    private func text(_ range: Range<Int>) throws -> String {
        guard let text = String(bytes: cursor.bytes[range], encoding: .utf8) else {
            throw malformed("a string is not valid UTF-8")
        }
        return text
    }

    func malformed(_ reason: String) -> CheckpointError {
        CheckpointError(.malformed, path: path, "bad pickle before byte \(cursor.position): \(reason).")
    }

    private func unsupported(_ what: String) -> CheckpointError {
        let advice =
            dialect == .checkpoint
            ? "torch.save does not write; save the weights as safetensors." : "plain data does not need."
        return CheckpointError(
            .unsupported, path: path, "the pickle has \(what) at byte \(cursor.position), which \(advice)")
    }

    private func tooLarge(_ what: String) -> CheckpointError {
        CheckpointError(.limitExceeded, path: path, "the pickle needs more than \(what).")
    }
}
