"""Start Amazon SageMaker pipelines when something happens or a time comes, exactly once, and say why."""
