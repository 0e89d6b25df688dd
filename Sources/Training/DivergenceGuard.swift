import Foundation

/// Notices a loss that runs away: far above its own running median for many steps on end.
struct DivergenceGuard {
    private let factor: Double, patience: Int
    /// Losses of the last steps that were not high.
    private var recent: [Double] = []
    private var next = 0
    private var highSteps = 0
    private static let memory = 200, least = 20

    init(_ options: TrainingOptions) {
        (factor, patience) = (options.divergenceFactor, options.divergenceSteps)
    }

    /// Whether the last losses were high: no time to write a checkpoint in place of better ones.
    var isSuspicious: Bool { highSteps > 0 }

    /// - Parameter batches: what the step learned from
    /// - Throws: `TrainingError.diverged`
    mutating func note(_ loss: Double, step: Int, batches: ClosedRange<Int>) throws {
        guard factor > 0 else { return }
        // A scale of its own is needed before anything is high.
        if recent.count >= Self.least {
            let median = recent.sorted()[recent.count / 2]
            if median > 0, loss > factor * median {
                highSteps += 1
                if highSteps >= patience {
                    throw TrainingError.diverged(
                        loss: loss, median: median, steps: step - highSteps + 1...step, batches: batches)
                }
                return
            }
        }
        highSteps = 0
        if recent.count < Self.memory {
            recent.append(loss)
        } else {
            recent[next] = loss
            next = (next + 1) % Self.memory
        }
    }
}
