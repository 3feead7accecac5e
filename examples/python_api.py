"""A study from Python: build a config, run it, read the findings, write the report."""

from audit import Config, run
from reports import write_html


def main() -> None:
    """Runs the study; results that are there already are not made again."""
    config = Config(
        name="from-python",
        data={"source": "digits"},
        population={"seeds": 3, "sparsities": [0.8, 0.95], "training": {"epochs": 10, "lr": 0.05}},
        policy={"max_accuracy_drop": 0.02},
    )
    result = run(config)
    frame = result.findings.frame()
    print(frame.query("limit_name == 'max_accuracy_drop'")[["sparsity", "change", "low", "high"]])
    print(write_html(result.folder))


if __name__ == "__main__":  # worker processes import this file
    main()
