/// A value on the pickle machine's stack.
///
/// Compound values live in the machine's list of objects and are referred to by index. So values are small, cycles leak
/// nothing, and no nesting, however deep, makes anything recursive.
enum PickleValue {
    case none
    case bool(Bool)
    case integer(Int)
    case real(Double)
    case string(String)
    /// A module's member, `module.name`. It is a name alone: nothing is looked up.
    case global(String)
    /// Index of a `PickleObject`.
    case object(Int)
}

/// A compound value that a pickle has built.
enum PickleObject {
    case tuple([PickleValue])
    case list([PickleValue])
    case dictionary([(key: PickleValue, value: PickleValue)])
    case storage(PickledStorage)
    case tensor(PickledTensor)
    /// Plain data that no tensor is made of: byte strings, sets, integers past 64 bits.
    case data
    /// The result of calling or instantiating a global that is not known; the name says which.
    case opaque(String)
}

/// A block of elements in an entry of the archive.
struct PickledStorage {
    let elementType: ElementType
    /// The entry is `data/<key>`.
    let key: String
    let elementCount: Int
}

/// A strided view of a storage, as the pickle describes it: nothing is checked yet.
struct PickledTensor {
    let storage: PickledStorage
    let offset: Int
    let shape: [Int]
    let strides: [Int]
}

/// What a pickle evaluates to.
struct PickleResult {
    let root: PickleValue
    let objects: [PickleObject]

    /// The object that a value refers to.
    func object(_ value: PickleValue) -> PickleObject? {
        guard case .object(let index) = value else { return nil }
        return objects[index]
    }
}

/// What the globals of a PyTorch checkpoint mean here. Every other global gives an opaque object.
enum PickleGlobals {
    static let orderedDictionary = "collections.OrderedDict"
    static let rebuildTensor = "torch._utils._rebuild_tensor_v2"
    static let rebuildParameter = "torch._utils._rebuild_parameter"

    static let storageTypes: [String: ElementType] = [
        "torch.FloatStorage": .f32, "torch.DoubleStorage": .f64, "torch.HalfStorage": .f16,
        "torch.BFloat16Storage": .bf16, "torch.LongStorage": .i64, "torch.IntStorage": .i32,
        "torch.ShortStorage": .i16, "torch.CharStorage": .i8, "torch.ByteStorage": .u8, "torch.BoolStorage": .bool,
    ]
}
