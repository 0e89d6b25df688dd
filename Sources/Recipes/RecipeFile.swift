import Foundation
import Yams

/// Recipes as YAML: whatever a file leaves out keeps its default, and what it misspells or cannot mean is an error with its line.
public enum RecipeFile {
    /// Reads a recipe over some defaults.
    ///
    /// - Parameter change: applied before the recipe is judged, for settings that are given elsewhere
    /// - Throws: `RecipeError` naming the file, the line and the setting.
    public static func load<Content: Recipe>(
        _ url: URL, defaults: Content, change: (inout Content) -> Void = { _ in }
    ) throws -> Content {
        let text: String
        do {
            text = try String(contentsOf: url, encoding: .utf8)
        } catch {
            throw RecipeError(place: url.path, reason: "it cannot be read")
        }
        let settings: Settings
        do {
            settings = Settings(
                path: url.path, root: try Yams.compose(yaml: text), optional: Content.optionalSettings)
        } catch {
            throw RecipeError(place: url.path, reason: "\(error)")
        }
        let base = try JSONSerialization.jsonObject(with: JSONEncoder().encode(defaults))
        let merged = try settings.merged(into: base)
        do {
            var recipe = try JSONDecoder().decode(
                Content.self, from: JSONSerialization.data(withJSONObject: merged))
            change(&recipe)
            try recipe.validate()
            return recipe
        } catch let error as DecodingError {
            throw settings.failure(error)
        } catch let error as any InvalidSetting {
            guard let (name, reason) = error.setting else { throw error }
            throw settings.failure(reason, at: name.split(separator: ".").map(String.init))
        }
    }
}

/// The settings of a file, with their places in it.
private struct Settings {
    let path: String
    let root: Node?

    /// Settings that are nil by default and therefore missing from the encoded defaults.
    let optional: Set<String>

    func merged(into base: Any) throws -> Any {
        guard let root else { return base }
        return try merge(root, into: base, [])
    }

    private func merge(_ given: Node, into base: Any, _ place: [String]) throws -> Any {
        guard var result = base as? [String: Any] else { return given.any }
        guard let mapping = given.mapping else {
            throw error(place.isEmpty ? "it is no mapping" : "'\(name(place))' is no mapping", line: given.mark?.line)
        }
        for (key, value) in mapping {
            let place = place + [key.string ?? ""]
            if let former = result[place[place.count - 1]] {
                result[place[place.count - 1]] = try merge(value, into: former, place)
            } else if optional.contains(name(place)) {
                result[place[place.count - 1]] = value.any
            } else {
                throw error("there is no setting '\(name(place))'", line: key.mark?.line)
            }
        }
        return result
    }

    // MARK: Failures

    func failure(_ error: DecodingError) -> RecipeError {
        switch error {
        case .typeMismatch(let type, let context): failure("it is no \(word(type))", at: keys(context))
        case .valueNotFound(let type, let context): failure("it is empty instead of a \(word(type))", at: keys(context))
        case .keyNotFound(let key, let context): failure("it is missing", at: keys(context) + [key.stringValue])
        // A fraction for a whole number comes without its place.
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            failure("a value does not fit, such as a fraction where a whole number is needed", at: [])
        case .dataCorrupted(let context): failure(context.debugDescription, at: keys(context))
        @unknown default: failure("\(error)", at: [])
        }
    }

    func failure(_ reason: String, at place: [String]) -> RecipeError {
        error(place.isEmpty ? reason : "'\(name(place))': \(reason)", line: line(of: place))
    }

    private func error(_ reason: String, line: Int?) -> RecipeError {
        RecipeError(place: line.map { "\(path), line \($0)," } ?? path, reason: reason)
    }

    private func name(_ place: [String]) -> String { place.joined(separator: ".") }

    private func keys(_ context: DecodingError.Context) -> [String] {
        context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    }

    private func word(_ type: any Any.Type) -> String {
        switch type {
        case is Double.Type, is Float.Type: "number"
        case is Int.Type, is UInt64.Type: "whole number"
        case is Bool.Type: "true or false"
        case is String.Type: "text"
        default: "\(type)"
        }
    }

    /// The line of a setting, or of the last part of its path that the file has.
    private func line(of place: [String]) -> Int? {
        var node = root, line: Int?
        for part in place {
            if let pair = node?.mapping?.first(where: { $0.key.string == part }) {
                (node, line) = (pair.value, pair.key.mark?.line)
            } else if let items = node?.sequence, let index = Int(part), items.indices.contains(index) {
                (node, line) = (items[index], items[index].mark?.line)
            } else {
                break
            }
        }
        return line
    }
}
