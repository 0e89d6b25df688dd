/// Settings that a file can give.
public protocol Recipe: Codable, Sendable {
    /// Names of the settings that are nil by default, such as `options.minutes`.
    static var optionalSettings: Set<String> { get }

    /// - Throws: an `InvalidSetting` for the first setting that nothing can be made with.
    func validate() throws
}

/// An error that may concern one setting of a recipe.
public protocol InvalidSetting: Error {
    /// The setting's name within the recipe, with dots, and what is wrong with it; nil for other errors.
    var setting: (name: String, reason: String)? { get }
}

/// A recipe that cannot be used.
public struct RecipeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file, and where known the line.
    public var place: String
    public var reason: String

    public init(place: String, reason: String) {
        (self.place, self.reason) = (place, reason)
    }

    public var description: String { "The recipe \(place) cannot be followed: \(reason)" }
}
