/// Tokens and their ids, both ways. Tokens are bytes, never `String`s: string equality in Swift is canonical
/// equivalence, which would make one entry of two spellings.
struct Vocabulary: Sendable {
    /// Ids from here on are refused, so that a damaged file cannot ask for gigabytes.
    static let idLimit = 1 << 22

    /// Bytes by id; an id that no token has is empty.
    private(set) var bytesByID: [[UInt8]] = []
    private var idByBytes: [[UInt8]: Int] = [:]

    /// One more than the highest id.
    var idCount: Int { bytesByID.count }

    init(reserving capacity: Int = 0) {
        bytesByID.reserveCapacity(capacity)
        idByBytes.reserveCapacity(capacity)
    }

    func id(of bytes: [UInt8]) -> Int? { idByBytes[bytes] }

    func bytes(of id: Int) -> [UInt8]? {
        guard bytesByID.indices.contains(id), !bytesByID[id].isEmpty else { return nil }
        return bytesByID[id]
    }

    mutating func insert(_ bytes: [UInt8], id: Int) throws(TokenizerError) {
        guard !bytes.isEmpty else { throw .emptyToken(id: id) }
        guard (0..<Self.idLimit).contains(id) else { throw .invalidID(token: lossyText(bytes), value: String(id)) }
        if let other = self.bytes(of: id) {
            throw .duplicateID(id: id, first: lossyText(other), second: lossyText(bytes))
        }
        if let other = idByBytes.updateValue(id, forKey: bytes) {
            throw .duplicateToken(token: lossyText(bytes), first: other, second: id)
        }
        if id >= bytesByID.count {
            bytesByID.append(contentsOf: repeatElement([], count: id + 1 - bytesByID.count))
        }
        bytesByID[id] = bytes
    }
}

/// The bytes as text, with U+FFFD for each part that is not UTF-8.
func lossyText(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
