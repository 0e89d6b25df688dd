/// The type of a stored tensor's elements. Raw values are the names that safetensors headers use.
public enum ElementType: String, CaseIterable, Sendable, Codable {
    /// One byte, 0 or 1.
    case bool = "BOOL"
    /// Unsigned 8-bit integer.
    case u8 = "U8"
    /// Signed 8-bit integer.
    case i8 = "I8"
    /// Unsigned 16-bit integer.
    case u16 = "U16"
    /// Signed 16-bit integer.
    case i16 = "I16"
    /// Unsigned 32-bit integer.
    case u32 = "U32"
    /// Signed 32-bit integer.
    case i32 = "I32"
    /// Unsigned 64-bit integer.
    case u64 = "U64"
    /// Signed 64-bit integer.
    case i64 = "I64"
    /// 8-bit float, 4 exponent bits, 3 mantissa bits.
    case f8e4m3 = "F8_E4M3"
    /// 8-bit float, 5 exponent bits, 2 mantissa bits.
    case f8e5m2 = "F8_E5M2"
    /// IEEE half precision.
    case f16 = "F16"
    /// bfloat16: the upper half of an IEEE single.
    case bf16 = "BF16"
    /// IEEE single precision.
    case f32 = "F32"
    /// IEEE double precision.
    case f64 = "F64"

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .bool, .u8, .i8, .f8e4m3, .f8e5m2: 1
        case .u16, .i16, .f16, .bf16: 2
        case .u32, .i32, .f32: 4
        case .u64, .i64, .f64: 8
        }
    }
}
