/// How well objects are counted.
public struct CountingAccuracy: Sendable, Hashable {
    /// Questions evaluated.
    public private(set) var count = 0
    /// Questions with exactly the right number.
    public private(set) var exact = 0
    private var absoluteErrors = 0.0
    private var squaredErrors = 0.0

    public init() {}

    /// Counts one question.
    public mutating func add(predicted: Int, truth: Int) {
        let error = (Double(predicted) - Double(truth)).magnitude
        count += 1
        if predicted == truth { exact += 1 }
        absoluteErrors += error
        squaredErrors += error * error
    }

    /// Share of exact answers, nil before the first question.
    public var accuracy: Double? { count > 0 ? Double(exact) / Double(count) : nil }

    /// Mean of how far answers are off, nil before the first question.
    public var meanAbsoluteError: Double? { count > 0 ? absoluteErrors / Double(count) : nil }

    /// Root of the mean squared error, nil before the first question.
    public var rootMeanSquaredError: Double? { count > 0 ? (squaredErrors / Double(count)).squareRoot() : nil }
}
