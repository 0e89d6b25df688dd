import Recipes

/// Settings of a training run that a file can give.
public protocol TrainingRecipe: Recipe {}

extension TrainingRecipe {
    public static var optionalSettings: Set<String> {
        ["options.steps", "options.minutes", "options.evaluationMinutes"]
    }
}
