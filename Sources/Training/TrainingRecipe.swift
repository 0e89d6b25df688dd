import Recipes

/// Settings of a training run that a file can give.
public protocol TrainingRecipe: Recipe {}

extension TrainingRecipe {
    public static var optionalSettings: Set<String> {
        Set(["options.steps", "options.minutes", "options.evaluationMinutes", "boxNotation", "objectFeatures"])
            .union(TaskMixture.names.map { "conversation.tasks." + $0 })
    }
}
