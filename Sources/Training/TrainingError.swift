import Recipes

/// Why a training run could not start, go on or be resumed.
public enum TrainingError: Error, Sendable, CustomStringConvertible {
    /// A setting has a value that nothing can be trained with.
    case invalidSetting(name: String, reason: String)
    /// Tensors that a loss was given do not fit each other.
    case shapeMismatch(what: String, expected: String, found: [Int])
    /// The loss or its gradient became infinite or NaN; the last checkpoint is untouched.
    case notFinite(what: String, step: Int, values: String)
    /// The loss stayed far above what it was; the last checkpoint is from before.
    case diverged(loss: Double, median: Double, steps: ClosedRange<Int>, batches: ClosedRange<Int>)
    /// The run's folder holds something that cannot be resumed from.
    case unusableRun(path: String, reason: String)
    /// The run's folder could not be written.
    case unwritable(path: String, reason: String)
    /// Another of the processes that train together is gone or does not answer.
    case processLost(step: Int, saved: Int, reason: String)
    /// Annotated pictures that cannot be used.
    case unusableData(path: String, reason: String)

    public var description: String {
        switch self {
        case .invalidSetting(let name, let reason):
            "The training setting '\(name)' is unusable: \(reason)"
        case .shapeMismatch(let what, let expected, let found):
            "\(what) should have the shape \(expected) but has \(found)"
        case .notFinite(let what, let step, let values):
            """
            The \(what) is not finite at step \(step) (\(values)). The last checkpoint is unharmed: resume from it with a \
            lower learning rate or a smaller gradient clip.
            """
        case .diverged(let loss, let median, let steps, let batches):
            """
            The loss has diverged: from step \(steps.lowerBound) to \(steps.upperBound) it stayed above, at last \
            \(ProgressReporter.short(loss)) (\(Self.text(batches))), while \(ProgressReporter.short(median)) was usual before. The \
            last checkpoint is from before that: resume from it with a lower learning rate or a smaller gradient clip, or \
            raise 'options.divergenceFactor' if such a rise is expected.
            """
        case .unusableRun(let path, let reason):
            "\(path) cannot be resumed: \(reason)"
        case .unwritable(let path, let reason):
            "\(path) cannot be written: \(reason)"
        case .processLost(let step, let saved, let reason):
            """
            The run stopped at step \(step), since the processes lost each other: \(reason). Start all of them again with the \
            same command, as many as before or not: the run goes on from \(saved > 0 ? "its checkpoint of step \(saved)" : "its beginning").
            """
        case .unusableData(let path, let reason):
            "The data in \(path) cannot be trained with: \(reason)"
        }
    }
}

extension TrainingError: InvalidSetting {
    public var setting: (name: String, reason: String)? {
        if case .invalidSetting(let name, let reason) = self { (name, reason) } else { nil }
    }
}

extension TrainingError {
    /// `batch 7` or `batches 6 to 7`
    static func text(_ batches: ClosedRange<Int>) -> String {
        batches.count == 1 ? "batch \(batches.lowerBound)" : "batches \(batches.lowerBound) to \(batches.upperBound)"
    }

    /// - Throws: `invalidSetting` unless something holds.
    static func check(_ holds: Bool, _ name: String, _ reason: @autoclosure () -> String) throws(TrainingError) {
        if !holds { throw .invalidSetting(name: name, reason: reason()) }
    }

    /// - Throws: `invalidSetting` unless the value is within the range.
    static func check<Value>(_ value: Value, _ range: ClosedRange<Value>, _ name: String) throws(TrainingError) {
        try check(range.contains(value), name, "\(value) is not within \(range.lowerBound)...\(range.upperBound)")
    }
}
