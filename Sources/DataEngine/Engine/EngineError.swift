import Recipes

/// Why the engine cannot work, as opposed to what is wrong with one picture.
public enum EngineError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A setting that nothing can be made with.
    case invalidSetting(name: String, reason: String)
    /// A folder or file of the output that cannot be written or read.
    case inaccessible(path: String, reason: String)
    /// The folder holds the work of another recipe, source or division.
    case otherRun(folder: String, difference: String)
    /// The folder holds something else.
    case foreignFolder(folder: String, file: String)
    /// Nothing was found to work on.
    case nothingFound(source: String)
    /// The folder is no output of the engine.
    case noRun(folder: String)
    /// Another process works on the same part.
    case busy(part: String)
    /// The part's state cannot be read or changed.
    case state(path: String, reason: String)
    /// The state was written by a newer version.
    case newerState(path: String)
    /// Picture after picture failed at a stage.
    case nothingSucceeds(stage: String, count: Int, last: String)

    public var description: String {
        switch self {
        case .invalidSetting(let name, let reason): "setting '\(name)': \(reason)"
        case .inaccessible(let path, let reason): "\(path): \(reason)"
        case .otherRun(let folder, let difference):
            "\(folder) holds the work of another run (\(difference)); name a new folder with --out, or go on with what it was begun with"
        case .foreignFolder(let folder, let file):
            "\(folder) holds something else (\(file)); name a new or empty folder with --out"
        case .nothingFound(let source):
            "\(source) offers no pictures (files of other kinds, hidden ones and links to folders do not count)"
        case .noRun(let folder): "\(folder) holds no work of the engine; 'chatrex engine run' begins it"
        case .busy(let part): "another process works on \(part); wait for it, or run another part with --shard"
        case .state(let path, let reason):
            "the state in \(path) cannot be used: \(reason); free space or unlock it and repeat the command"
        case .newerState(let path): "\(path) was written by a newer version of this program"
        case .nothingSucceeds(let stage, let count, let last):
            "\(count) pictures one after another failed at the stage '\(stage)', the last: \(last). Mend the cause and repeat the command with --retry-failed"
        }
    }
}

/// An error that concerns every picture, not the one at hand: the run ends, and the picture stays as it was.
public protocol StopsRun: Error {}

extension EngineError: StopsRun {}

extension EngineError: InvalidSetting {
    public var setting: (name: String, reason: String)? {
        if case .invalidSetting(let name, let reason) = self { (name, reason) } else { nil }
    }
}
