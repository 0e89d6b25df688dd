import Boxes
import Evaluation
import Testing

@Suite struct SimpleMetricTests {
    let square = Box(x1: 0, y1: 0, x2: 10, y2: 10)

    private func image(_ id: Int, truths: [(Int, Box)], predictions: [(Int, Box)], crowds: [Box] = [])
        -> EvaluationImage
    {
        EvaluationImage(
            id: id,
            truths: truths.map { GroundTruthBox(category: $0.0, box: $0.1) }
                + crowds.map { GroundTruthBox(category: 1, box: $0, isCrowd: true) },
            detections: predictions.map { DetectedBox(category: $0.0, box: $0.1, score: 0) })
    }

    @Test func `precision and recall average over categories`() throws {
        var metric = PrecisionRecall()
        let far = square.translated(x: 100, y: 0)
        // Category 1: one of two found, nothing wrong. Category 2: found, with three wrong. Category 3: missed.
        try metric.add(image(1, truths: [(1, square), (1, far)], predictions: [(1, square)]))
        try metric.add(
            image(2, truths: [(2, square)], predictions: [(2, square), (2, far), (2, far), (2, square)]))
        try metric.add(image(3, truths: [(3, square)], predictions: []))
        expectEqual("precision", metric.precision, 0.625)
        expectEqual("recall", metric.recall, 0.5)
        #expect(metric.total.matches == 2 && metric.total.predictions == 5 && metric.total.truths == 4)
        #expect(metric.categories[3]?.precision == nil)
    }

    @Test func `the best overlapping pairs come first, and boxes pair once`() throws {
        var metric = PrecisionRecall()
        // The first prediction overlaps both truths; only the second, exact one leaves it the other truth.
        let shifted = square.translated(x: 4, y: 0)
        try metric.add(
            image(
                1, truths: [(1, square), (1, shifted)], predictions: [(1, square.translated(x: 1, y: 0)), (1, square)]))
        #expect(metric.total.matches == 2)
        try metric.add(image(2, truths: [(1, square)], predictions: [(1, square), (1, square)]))
        #expect(metric.total.matches == 3 && metric.total.predictions == 4)
    }

    @Test(arguments: [(0.5, 1), (0.51, 0)])
    func `an IoU of the threshold is enough`(threshold: Double, matches: Int) throws {
        var metric = PrecisionRecall(iouThreshold: threshold)
        let half = Box(x1: 0, y1: 0, x2: 10, y2: 5)
        try metric.add(image(1, truths: [(1, square)], predictions: [(1, half)]))
        #expect(metric.total.matches == matches)
    }

    @Test func `boxes inside a crowd are not counted`() throws {
        var metric = PrecisionRecall()
        try metric.add(
            image(
                1, truths: [(1, square)],
                predictions: [(1, square), (1, square.translated(x: 30, y: 30)), (1, square.translated(x: 300, y: 0))],
                crowds: [square.scaled(x: 10, y: 10)]))
        #expect(metric.total.predictions == 2 && metric.total.truths == 1 && metric.total.matches == 1)
    }

    @Test func `nothing added means no figure`() {
        #expect(PrecisionRecall().precision == nil && PrecisionRecall().recall == nil)
        #expect(ReferringAccuracy().accuracy == nil && CountingAccuracy().accuracy == nil)
        #expect(CountingAccuracy().meanAbsoluteError == nil && WordOverlap().average == nil)
        #expect(ProposalRecall().report().recall50 == nil)
    }

    @Test func `proposals beyond the limit do not count, whatever their category`() throws {
        var one = ProposalRecall(maxProposals: 1)
        var two = ProposalRecall(maxProposals: 2)
        let far = square.translated(x: 100, y: 0)
        let image = EvaluationImage(
            id: 1, truths: [GroundTruthBox(category: 1, box: square), GroundTruthBox(category: 2, box: far)],
            detections: [
                DetectedBox(category: 9, box: square, score: 0.1), DetectedBox(category: 8, box: far, score: 0.2),
            ])
        try one.add(image)
        try two.add(image)
        #expect(one.report().recall50 == 0.5 && two.report().recall50 == 1)
    }

    @Test func `a referred object counts above the threshold only`() {
        var metric = ReferringAccuracy()
        metric.add(predicted: square, truth: square)
        metric.add(predicted: Box(x1: 0, y1: 0, x2: 10, y2: 5), truth: square)
        metric.add(predicted: nil, truth: square)
        metric.add(predicted: square.translated(x: 2, y: 0), truth: square)
        #expect(metric.correct == 2 && metric.accuracy == 0.5)
    }

    @Test func `counting is judged by exact answers and by distance`() throws {
        var metric = CountingAccuracy()
        for (predicted, truth) in [(3, 3), (5, 2), (0, 1), (7, 7)] { metric.add(predicted: predicted, truth: truth) }
        #expect(metric.accuracy == 0.5 && metric.meanAbsoluteError == 1)
        #expect(metric.rootMeanSquaredError == 2.5.squareRoot())
        metric.add(predicted: .max, truth: .min)
        #expect(try #require(metric.meanAbsoluteError) > 1e18)
    }

    @Test(arguments: [
        ("dog", "dog", 1.0),
        ("The category is: Soccer ball.", "soccer_ball", 1.0),
        ("a white dog", "dog", 1.0 / 3),
        ("dog, dog and cat", "dog", 1.0 / 3),
        ("bottle cap", "bottle:cap", 1.0),
        ("answer: cup: red", "cup", 0.5),
        ("cat", "dog", 0.0),
        ("", "", 0.0),
        ("It is:", "dog", 0.0),
    ])
    func `word overlap compares sets of words`(answer: String, category: String, expected: Double) {
        expectEqual(answer, WordOverlap.overlap(answer: answer, category: category), expected)
        var metric = WordOverlap()
        metric.add(answer: answer, category: category)
        expectEqual(answer, metric.average, expected)
    }
}
