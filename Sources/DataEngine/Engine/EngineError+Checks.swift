import Recipes

extension EngineError {
    /// Runs a part's own check of its settings; what it finds gets its place within the recipe.
    static func within(_ place: String, _ check: () throws -> Void) throws {
        do {
            try check()
        } catch let error as any InvalidSetting {
            guard let (name, reason) = error.setting else { throw error }
            throw EngineError.invalidSetting(name: "\(place).\(name)", reason: reason)
        }
    }

    /// - Throws: `invalidSetting` unless something holds.
    static func check(_ holds: Bool, _ name: String, _ reason: @autoclosure () -> String) throws(EngineError) {
        if !holds { throw .invalidSetting(name: name, reason: reason()) }
    }

    /// - Throws: `invalidSetting` unless the value is within the range.
    static func check<Value>(_ value: Value, _ range: ClosedRange<Value>, _ name: String) throws(EngineError) {
        try check(range.contains(value), name, "\(value) is not within \(range.lowerBound)...\(range.upperBound)")
    }
}
