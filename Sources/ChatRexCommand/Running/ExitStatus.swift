import Annotations
import ArgumentParser
import Boxes
import ChatRex
import Checkpoints
import DataEngine
import Evaluation
import Foundation
import GoldenParity
import GroundingDINO
import Imaging
import LanguageModels
import Recipes
import Scenes
import Server
import Tokenizers
import Torch
import TorchNN
import Training
import VisionEncoders

/// How a run ends. The one place that knows which error means which exit code.
package enum ExitStatus: Int32, Sendable {
    case failed = 1
    /// Something that the user named could not be read or written.
    case inaccessible = 2
    /// The command line makes no sense.
    case usage = 64
    case interrupted = 130

    /// The exit code for an error.
    package init(_ error: any Error) {
        switch error {
        case let error as CommandLineError: self = error.status
        case let error as ImagingError: self = Self.status(of: error)
        case let error as ChatRexError:
            self = if case .model = error { .inaccessible } else if case .box = error { .usage } else { .failed }
        case let error as TokenizerError:
            self = if case .vocabularyTooSmall = error { .failed } else { .inaccessible }
        case let error as ScenesError: self = Self.status(of: error)
        case let error as BoxesError:
            self = if case .unusableFile = error { .inaccessible } else { .failed }
        case let error as LanguageModelError:
            self = if case .configuration = error { .inaccessible } else { .failed }
        case is CheckpointError, is LoadReport, is ConfigurationError, is CocoaError: self = .inaccessible
        case is TaskError, is ValidationError, is ServerError: self = .usage
        case let error as EvaluationError: self = Self.status(of: error)
        case is GoldenParityError, is AnnotationsError: self = .inaccessible
        case let error as ExchangeError:
            self =
                switch error {
                case .unusableFile, .unwritable: .inaccessible
                case .badRecord: .failed
                case .invalidSetting: .usage
                }
        case let error as EngineError:
            self =
                switch error {
                case .invalidSetting: .usage
                case .inaccessible, .otherRun, .foreignFolder, .nothingFound, .noRun, .newerState, .state: .inaccessible
                case .busy, .nothingSucceeds: .failed
                }
        case let error as CollectionError:
            self =
                switch error {
                case .unknownSource, .unreadableSource: .inaccessible
                case .invalidSetting: .usage
                case .fetchFailed, .encodingFailed: .failed
                }
        case let error as TrainingError:
            self =
                switch error {
                case .notFinite, .diverged, .processLost: .failed
                default: .inaccessible
                }
        case let error as ProcessGroupError: self = error.cause == .environment ? .usage : .failed
        case is CancellationError: self = .interrupted
        default: self = .failed
        }
    }

    private static func status(of error: ImagingError) -> ExitStatus {
        switch error {
        case .fileNotReadable, .tooManyBytes, .tooManyPixels, .empty, .unsupportedFormat, .damaged, .unknownExtension,
            .fileNotWritable:
            .inaccessible
        case .invalidSize, .invalidPixels, .invalidRegion, .encodingFailed, .libraryUnavailable: .failed
        }
    }

    private static func status(of error: EvaluationError) -> ExitStatus {
        switch error {
        case .missingPictures, .unnamedPicture, .noJournal, .otherSettings, .journalInUse: .inaccessible
        case .duplicateImage, .unknownImage, .invalidGroundTruth, .invalidDetection, .invalidRecord, .noExpression,
            .notOneBox, .invalidLine, .unusableAnnotations:
            .failed
        }
    }

    private static func status(of error: ScenesError) -> ExitStatus {
        switch error {
        case .unwritable: .inaccessible
        case .invalidConfiguration: .usage
        case .missingAssets, .unusableAsset: .failed
        }
    }

    /// What is said about an error.
    package static func message(_ error: any Error) -> String {
        switch error {
        case let error as CocoaError:
            [error.localizedDescription, error.filePath].compactMap { $0 }.joined(separator: " ")
        case is CancellationError: "interrupted"
        default: "\(error)"
        }
    }

    /// Says what went wrong and ends the process.
    static func end(after error: any Error) -> Never {
        // The argument parser words its own errors, and help and version come as "errors" too.
        if error is ExitCode || error is CleanExit || error is ValidationError
            || ChatRexTool.exitCode(for: error) != .failure
        {
            ChatRexTool.exit(withError: error)
        }
        Terminal.complain(message(error))
        exit(ExitStatus(error).rawValue)
    }
}

/// What is wrong with the things that a command line names.
package enum CommandLineError: Error, Equatable, CustomStringConvertible {
    /// A pattern that no file matches.
    case noMatch(pattern: String)
    /// A folder without a picture file.
    case noPicture(folder: String, isRecursive: Bool)
    /// A picture that is to be written where one is read.
    case overwritesInput(path: String)
    /// A folder for new files that has files already.
    case notEmpty(folder: String)
    /// A folder that cannot be listed or made, or a file that cannot be written.
    case inaccessible(path: String, reason: String)
    /// Standard output is closed or its disk full.
    case brokenOutput(reason: String)

    var status: ExitStatus { .inaccessible }

    package var description: String {
        switch self {
        case .noMatch(let pattern): "no file matches \(pattern)"
        case .noPicture(let folder, let isRecursive):
            "there is no picture in \(folder)" + (isRecursive ? "" : " (--recursive looks in its subfolders too)")
        case .overwritesInput(let path): "\(path) is one of the pictures to read; name another place with --out"
        case .notEmpty(let folder): "\(folder) is not empty; name a new folder with --out"
        case .inaccessible(let path, let reason): "\(path): \(reason)"
        case .brokenOutput(let reason): "cannot write to standard output: \(reason)"
        }
    }
}
