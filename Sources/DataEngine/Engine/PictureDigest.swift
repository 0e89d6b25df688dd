import Crypto

/// What tells pictures apart.
public enum PictureDigest {
    /// SHA-256 in hexadecimal digits.
    public static func sha256(_ bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }
}
