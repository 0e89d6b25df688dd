extension VisionTask {
    /// The phrases of lists separated by `;`, each by itself and cleaned as the model will see it.
    /// - Throws: `TaskError`.
    public static func phrases(_ lists: [String], limits: TaskLimits = TaskLimits()) throws(TaskError) -> [String] {
        try VisionTask.detect(lists).prompts(boxCount: 0, limits: limits).flatMap { prompt in
            if case .detect(let phrases) = prompt.task { phrases } else { [String]() }
        }
    }
}
