"""What is asked of SageMaker, and what its answers mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber

from pipeline_triggers.adapters.clients import Clients
from pipeline_triggers.adapters.pipelines import SageMakerPipelines
from pipeline_triggers.domain.definitions import Declared
from pipeline_triggers.domain.executions import PipelineRef
from pipeline_triggers.errors import PermanentError, TransientError
from tests.fakes.clock import FakeClock
from tests.fakes.pipelines import HOME
from tests.samples import PIPELINE_ARN, request

if TYPE_CHECKING:
    from collections.abc import Iterator

EXECUTION = f"{PIPELINE_ARN}/execution/abcdef"
DEFINITION = '{"Version":"2020-12-01","Parameters":[{"Name":"Rows","Type":"Integer"}],"Steps":[]}'


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def clients(clock: FakeClock) -> Clients:
    return Clients(region="us-east-1", clock=clock)


@pytest.fixture
def sagemaker(clients: Clients) -> Iterator[Stubber]:
    with Stubber(clients.sagemaker()) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def pipelines(clients: Clients, clock: FakeClock) -> SageMakerPipelines:
    return SageMakerPipelines(clients, HOME, clock)


def expect_start(stubber: Stubber, **expected: Any) -> None:
    stubber.add_response(
        "start_pipeline_execution",
        {"PipelineExecutionArn": EXECUTION},
        {
            "PipelineName": "churn-train",
            "ClientRequestToken": request().token,
            "PipelineExecutionDisplayName": request().display_name,
            "PipelineExecutionDescription": request().description,
            "PipelineParameters": [{"Name": "InputKey", "Value": "in/1.csv"}],
        }
        | expected,
    )


def test_a_start_carries_token_names_and_parameters(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    expect_start(sagemaker)
    assert pipelines.start(request()) == EXECUTION


def test_a_start_carries_what_the_target_asks_for(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    expect_start(
        sagemaker,
        PipelineVersionId=3,
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
    )
    pipelines.start(replace(request(), version_id=3, parallelism=2))


def test_a_pipeline_of_another_account_is_named_by_its_arn(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    arn = "arn:aws:sagemaker:us-east-1:999999999999:pipeline/churn-train"
    expect_start(sagemaker, PipelineName=arn)
    pipelines.start(replace(request(), pipeline_arn=arn))


def test_a_pipeline_of_another_region_is_started_there(pipelines: SageMakerPipelines, clients: Clients) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn-train"
    with Stubber(clients.sagemaker("eu-west-1")) as there:
        expect_start(there, PipelineName=arn)
        pipelines.start(replace(request(), pipeline_arn=arn))
        there.assert_no_pending_responses()


@pytest.mark.parametrize(("account", "name"), [("123456789012", "churn-train"), ("999999999999", PIPELINE_ARN)])
def test_a_role_starts_and_one_of_another_account_gets_the_arn(
    pipelines: SageMakerPipelines, clients: Clients, clock: FakeClock, account: str, name: str
) -> None:
    role = f"arn:aws:iam::{account}:role/starter"
    with Stubber(clients.sts) as sts:
        credentials = {"AccessKeyId": "A" * 16, "SecretAccessKey": "s", "SessionToken": "t"}
        expiration = clock.now() + timedelta(hours=1)
        sts.add_response("assume_role", {"Credentials": {**credentials, "Expiration": expiration}})
        with Stubber(clients.assumed(role)) as assumed:
            expect_start(assumed, PipelineName=name)
            assert pipelines.start(replace(request(), role_arn=role)) == EXECUTION
            assumed.assert_no_pending_responses()


def test_a_role_that_may_not_be_assumed_is_denied_for_now(pipelines: SageMakerPipelines, clients: Clients) -> None:
    with Stubber(clients.sts) as sts:
        sts.add_client_error("assume_role", "AccessDenied", http_status_code=403)
        with pytest.raises(TransientError) as raised:
            pipelines.start(replace(request(), role_arn="arn:aws:iam::123456789012:role/x"))
    assert (raised.value.reason, raised.value.acted) == ("denied-yet", False)


def test_a_token_that_is_too_short_is_refused_for_good(pipelines: SageMakerPipelines) -> None:
    with pytest.raises(PermanentError, match="ClientRequestToken"):
        pipelines.start(replace(request(), token="short"))


def test_a_description_is_cached_for_five_minutes(
    pipelines: SageMakerPipelines, sagemaker: Stubber, clock: FakeClock
) -> None:
    def expect() -> None:
        sagemaker.add_response(
            "describe_pipeline",
            {"PipelineDefinition": DEFINITION, "PipelineStatus": "Active"},
            {"PipelineName": "churn-train"},
        )

    expect()
    assert pipelines.describe(PipelineRef.parse("churn-train")).parameters == {"Rows": Declared("Integer")}
    # The same pipeline by the ARN that SageMaker gives, in lower case.
    pipelines.describe(PipelineRef.parse(PIPELINE_ARN))
    clock.advance(minutes=4, seconds=59)
    pipelines.describe(PipelineRef.parse("churn-train"))
    expect()
    clock.advance(seconds=1)
    pipelines.describe(PipelineRef.parse("churn-train"))


def test_a_fresh_description_is_read_again_and_then_cached(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    for definition in (DEFINITION, '{"Parameters":[]}'):
        sagemaker.add_response("describe_pipeline", {"PipelineDefinition": definition}, {"PipelineName": ANY})
    ref = PipelineRef.parse("churn-train")
    pipelines.describe(ref)
    assert pipelines.describe(ref, fresh=True).parameters == {}
    assert pipelines.describe(ref).parameters == {}


@pytest.mark.parametrize(("account", "name"), [("123456789012", "churn-train"), ("999999999999", PIPELINE_ARN)])
def test_a_pipeline_is_described_with_the_role_that_starts_it(
    pipelines: SageMakerPipelines, clients: Clients, clock: FakeClock, account: str, name: str
) -> None:
    role = f"arn:aws:iam::{account}:role/starter"
    with Stubber(clients.sts) as sts:
        credentials = {"AccessKeyId": "A" * 16, "SecretAccessKey": "s", "SessionToken": "t"}
        expiration = clock.now() + timedelta(hours=1)
        sts.add_response("assume_role", {"Credentials": {**credentials, "Expiration": expiration}})
        with Stubber(clients.assumed(role)) as assumed:
            assumed.add_response("describe_pipeline", {"PipelineDefinition": DEFINITION}, {"PipelineName": name})
            assert pipelines.describe(PipelineRef.parse("churn-train"), role_arn=role).parameters
            assumed.assert_no_pending_responses()


def test_a_description_is_kept_for_whoever_asks(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    sagemaker.add_response("describe_pipeline", {"PipelineDefinition": DEFINITION}, {"PipelineName": "churn-train"})
    ref = PipelineRef.parse("churn-train")
    asked_without = pipelines.describe(ref)
    assert pipelines.describe(ref, role_arn="arn:aws:iam::999999999999:role/starter") is asked_without


def test_a_role_that_may_not_be_assumed_does_not_describe(pipelines: SageMakerPipelines, clients: Clients) -> None:
    with Stubber(clients.sts) as sts:
        sts.add_client_error("assume_role", "AccessDenied", http_status_code=403)
        with pytest.raises(TransientError) as raised:
            pipelines.describe(PipelineRef.parse("churn-train"), role_arn="arn:aws:iam::123456789012:role/x")
    assert raised.value.reason == "denied-yet"


def test_versions_are_described_apart(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    for version in (1, 2):
        sagemaker.add_response(
            "describe_pipeline",
            {"PipelineDefinition": DEFINITION},
            {"PipelineName": "churn-train", "PipelineVersionId": version},
        )
        pipelines.describe(PipelineRef.parse("churn-train", version))


def test_a_pipeline_that_is_being_deleted_is_waited_for(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    answer = {"PipelineDefinition": DEFINITION, "PipelineStatus": "Deleting"}
    sagemaker.add_response("describe_pipeline", answer)
    with pytest.raises(TransientError) as raised:
        pipelines.describe(PipelineRef.parse("churn-train"))
    assert raised.value.reason == "pipeline-deleting"


def test_a_definition_that_cannot_be_read_is_told_with_its_pipeline(
    pipelines: SageMakerPipelines, sagemaker: Stubber
) -> None:
    sagemaker.add_response("describe_pipeline", {"PipelineDefinition": "not JSON"})
    with pytest.raises(PermanentError, match="churn-train"):
        pipelines.describe(PipelineRef.parse("churn-train"))


def test_a_failed_description_is_not_cached(pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
    sagemaker.add_client_error("describe_pipeline", "ResourceNotFound")
    sagemaker.add_response("describe_pipeline", {"PipelineDefinition": DEFINITION})
    ref = PipelineRef.parse("churn-train")
    with pytest.raises(TransientError) as raised:
        pipelines.describe(ref)
    assert raised.value.reason == "not-found-yet"
    assert pipelines.describe(ref).parameters


def test_an_execution_is_looked_for_on_all_pages_of_its_window_and_a_minute_around_it(
    pipelines: SageMakerPipelines, sagemaker: Stubber, clock: FakeClock
) -> None:
    wanted = {
        "PipelineName": "churn-train",
        "CreatedAfter": clock.now() - timedelta(seconds=60),
        "CreatedBefore": clock.now() + timedelta(minutes=3),
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "MaxResults": 100,
    }
    twin, mine = f"{EXECUTION}1", f"{EXECUTION}2"

    def summary(arn: str, name: str) -> dict[str, Any]:
        return {"PipelineExecutionArn": arn, "PipelineExecutionDisplayName": name}

    sagemaker.add_response(
        "list_pipeline_executions",
        {
            "PipelineExecutionSummaries": [
                summary(f"{EXECUTION}0", "by-hand"),
                {"PipelineExecutionArn": f"{EXECUTION}9", "StartTime": datetime(2026, 1, 1, tzinfo=UTC)},
                summary(twin, request().display_name),
            ],
            "NextToken": "more",
        },
        wanted,
    )
    sagemaker.add_response(
        "describe_pipeline_execution",
        {"PipelineExecutionDescription": "the same name for another reason"},
        {"PipelineExecutionArn": twin},
    )
    sagemaker.add_response(
        "list_pipeline_executions",
        {"PipelineExecutionSummaries": [summary(mine, request().display_name)]},
        wanted | {"NextToken": "more"},
    )
    sagemaker.add_response(
        "describe_pipeline_execution",
        {"PipelineExecutionDescription": request().description},
        {"PipelineExecutionArn": mine},
    )
    renamed = replace(request(), display_name=f"renamed-{request().token[:12]}")
    assert pipelines.find(renamed, clock.now(), clock.now() + timedelta(minutes=2)) == mine


def test_an_answer_to_a_start_that_names_no_execution_may_have_acted(
    pipelines: SageMakerPipelines, sagemaker: Stubber
) -> None:
    sagemaker.add_response("start_pipeline_execution", {})
    with pytest.raises(TransientError) as raised:
        pipelines.start(request())
    assert (raised.value.reason, raised.value.acted) == ("unavailable", True)


class TestAbsent:
    """A pipeline is absent only if SageMaker says so twice, and says so clearly."""

    def described(self, sagemaker: Stubber, arn: str = PIPELINE_ARN, **answer: Any) -> None:
        told = {"PipelineArn": arn, "PipelineStatus": "Active"} | answer
        sagemaker.add_response("describe_pipeline", told, {"PipelineName": arn})

    def not_described(self, sagemaker: Stubber, arn: str = PIPELINE_ARN, code: str = "ResourceNotFound") -> None:
        expected = {"PipelineName": arn}
        sagemaker.add_client_error("describe_pipeline", code, "no", http_status_code=400, expected_params=expected)

    def listed(self, sagemaker: Stubber, *arns: str, token: str = "", next_token: str = "") -> None:
        sagemaker.add_response(
            "list_pipelines",
            {"PipelineSummaries": [{"PipelineArn": arn} for arn in arns]}
            | ({"NextToken": next_token} if next_token else {}),
            {"MaxResults": 100} | ({"NextToken": token} if token else {}),
        )

    def test_a_pipeline_that_is_neither_found_nor_listed_is_absent(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        self.not_described(sagemaker)
        self.listed(sagemaker, f"{PIPELINE_ARN}2", next_token="two")
        self.listed(sagemaker, f"{PIPELINE_ARN}-3", token="two")
        assert pipelines.absent(PIPELINE_ARN) is True

    def test_a_pipeline_that_is_found_is_not(self, pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
        self.described(sagemaker)
        assert pipelines.absent(PIPELINE_ARN) is False

    def test_it_is_asked_for_by_its_arn_as_it_is_written(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        arn = PIPELINE_ARN.replace("churn", "Churn")
        self.described(sagemaker, arn, PipelineArn=PIPELINE_ARN)
        assert pipelines.absent(arn) is False

    def test_it_is_asked_for_in_lower_case_too_because_the_list_may_lag_behind(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        self.not_described(sagemaker, arn := PIPELINE_ARN.replace("churn", "Churn"))
        self.described(sagemaker)
        assert pipelines.absent(arn) is False

    @pytest.mark.parametrize("page", [1, 2, 3])
    def test_a_pipeline_that_is_listed_in_another_case_and_found_so_is_not_absent(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber, page: int
    ) -> None:
        in_list = PIPELINE_ARN.replace("churn", "Churn")
        self.not_described(sagemaker)
        for number in range(1, page):
            self.listed(sagemaker, token="" if number == 1 else f"t{number}", next_token=f"t{number + 1}")
        self.listed(sagemaker, in_list, token="" if page == 1 else f"t{page}")
        self.described(sagemaker, in_list)
        assert pipelines.absent(PIPELINE_ARN) is False

    def test_all_pages_of_the_list_are_told_as_they_are_taken(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        self.listed(sagemaker, PIPELINE_ARN, f"{PIPELINE_ARN}2", next_token="two")
        arns = pipelines.listed()
        assert [next(arns), next(arns)] == [PIPELINE_ARN, f"{PIPELINE_ARN}2"]
        self.listed(sagemaker, f"{PIPELINE_ARN}3", token="two")
        assert list(arns) == [f"{PIPELINE_ARN}3"]

    def test_answers_that_contradict_one_another_decide_nothing(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        self.not_described(sagemaker)
        self.listed(sagemaker, PIPELINE_ARN)
        self.not_described(sagemaker)
        with pytest.raises(TransientError) as raised:
            pipelines.absent(PIPELINE_ARN)
        assert raised.value.reason == "conflict"

    def test_a_pipeline_that_is_being_deleted_is_waited_for(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        self.described(sagemaker, PipelineStatus="Deleting")
        with pytest.raises(TransientError) as raised:
            pipelines.absent(PIPELINE_ARN)
        assert raised.value.reason == "pipeline-deleting"

    def test_a_pipeline_that_is_being_deleted_under_the_listed_arn_is_waited_for(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        self.not_described(sagemaker)
        self.listed(sagemaker, PIPELINE_ARN.replace("churn", "Churn"))
        self.described(sagemaker, PIPELINE_ARN.replace("churn", "Churn"), PipelineStatus="Deleting")
        with pytest.raises(TransientError) as raised:
            pipelines.absent(PIPELINE_ARN)
        assert raised.value.reason == "pipeline-deleting"

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            ("ThrottlingException", "throttled"),
            ("AccessDeniedException", "denied-yet"),
            ("InternalFailure", "unavailable"),
            ("ResourceNotFoundException", "not-found-yet"),  # not the code that the service model has
            ("ValidationException", "refused-by-sagemaker"),
            ("", "refused-by-sagemaker"),
        ],
    )
    def test_any_other_error_is_no_absence(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber, code: str, reason: str
    ) -> None:
        self.not_described(sagemaker, code=code)
        with pytest.raises((TransientError, PermanentError)) as raised:
            pipelines.absent(PIPELINE_ARN)
        assert raised.value.reason == reason

    @pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ResourceNotFound", "Unheard-of"])
    def test_a_list_that_fails_is_no_absence(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber, code: str
    ) -> None:
        self.not_described(sagemaker)
        self.listed(sagemaker, next_token="two")
        sagemaker.add_client_error("list_pipelines", code)
        with pytest.raises((TransientError, PermanentError)):
            pipelines.absent(PIPELINE_ARN)

    def test_a_list_that_repeats_itself_is_no_absence(self, pipelines: SageMakerPipelines, sagemaker: Stubber) -> None:
        self.not_described(sagemaker)
        self.listed(sagemaker, next_token="two")
        self.listed(sagemaker, token="two", next_token="two")
        with pytest.raises(TransientError, match="repeats itself"):
            pipelines.absent(PIPELINE_ARN)

    def test_a_list_without_pipelines_or_arns_is_no_absence(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber
    ) -> None:
        answers: list[dict[str, Any]] = [{}, {"PipelineSummaries": [{}]}]
        for answer in answers:
            self.not_described(sagemaker)
            sagemaker.add_response("list_pipelines", answer)
            with pytest.raises(TransientError, match="cannot be read"):
                pipelines.absent(PIPELINE_ARN)

    @pytest.mark.parametrize("answer", [{"PipelineStatus": "Active"}, {"PipelineArn": f"{PIPELINE_ARN}2"}])
    def test_a_description_of_something_else_decides_nothing(
        self, pipelines: SageMakerPipelines, sagemaker: Stubber, answer: dict[str, str]
    ) -> None:
        sagemaker.add_response("describe_pipeline", answer)
        with pytest.raises(TransientError, match="described something else"):
            pipelines.absent(PIPELINE_ARN)
