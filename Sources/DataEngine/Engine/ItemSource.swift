/// Where pictures come from: a folder, a list of addresses, shards.
public protocol ItemSource: Sendable {
    /// Offers every item, always in the same order; memory does not grow with their number.
    ///
    /// - Parameter body: takes an item; what it throws ends the walk
    /// - Throws: what `body` throws, and the source's own error naming the file and what is wrong with it. A damaged part of a source (a
    ///   corrupt shard among many) does not end the walk: it is reported through `onDamage`.
    func forEachItem(
        onDamage: @escaping @Sendable (SourceDamage) -> Void, _ body: @Sendable (SourceItem) async throws -> Void
    ) async throws
}

/// A part of a source that could not be read: its items are missing from the run.
public struct SourceDamage: Error, Codable, Sendable, Hashable, CustomStringConvertible {
    /// The file.
    public var place: String
    public var reason: String

    public init(place: String, reason: String) {
        (self.place, self.reason) = (place, reason)
    }

    public var description: String { "\(place): \(reason)" }
}
