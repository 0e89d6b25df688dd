import Foundation
import Yams

/// Recipes as YAML: whatever a file leaves out keeps its default, and what it misspells is an error.
public enum RecipeFile {
    /// Reads a recipe over some defaults.
    /// - Throws: `TrainingError.recipe` naming the file and the setting.
    public static func load<Recipe: Codable>(_ url: URL, defaults: Recipe) throws -> Recipe {
        func failure(_ reason: String) -> TrainingError { .recipe(path: url.path, reason: reason) }
        let text: String
        do {
            text = try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw failure("it cannot be read")
        }
        let base = try JSONSerialization.jsonObject(with: JSONEncoder().encode(defaults))
        do {
            let given = try Yams.load(yaml: text) ?? [String: Any]()
            let merged = try merge(given, into: base, path: "", failure)
            let data = try JSONSerialization.data(withJSONObject: merged)
            return try JSONDecoder().decode(Recipe.self, from: data)
        } catch let error as TrainingError {
            throw error
        } catch let error as DecodingError {
            throw failure("\(error)")
        } catch {
            throw failure("\(error)")
        }
    }

    private static func merge(_ given: Any, into base: Any, path: String, _ failure: (String) -> TrainingError) throws
        -> Any
    {
        guard var result = base as? [String: Any] else { return given }
        guard let settings = given as? [String: Any] else {
            throw failure(path.isEmpty ? "it is no mapping" : "'\(path)' is no mapping")
        }
        for (key, value) in settings {
            let name = path.isEmpty ? key : path + "." + key
            // Settings that are nil by default are missing from the encoded defaults.
            guard let former = result[key] else {
                guard optionalSettings.contains(name) else { throw failure("there is no setting '\(name)'") }
                result[key] = value
                continue
            }
            result[key] = try merge(value, into: former, path: name, failure)
        }
        return result
    }

    private static let optionalSettings: Set<String> = [
        "options.steps", "options.minutes", "options.evaluationMinutes",
    ]
}
