"""An AWS for one machine: moto in process behind corrections, the deployed template, and Lambda's poller.

Nothing here is loaded in Lambda, and nothing here talks to real AWS. The modules, from the bottom up:

* ``corrections``  what moto makes inside and AWS makes differently, each undone when it is no longer needed
* ``event_patterns``  which patterns rules take, and what they match
* ``wire``         which service and operation an HTTP request is, and how AWS words an error
* ``limits``       the limits of botocore's service models, which moto does not enforce
* ``pipelines``    SageMaker's pipelines as the service treats them: tokens, ARNs, declared parameters
* ``trust``        whether EventBridge Scheduler may assume a role
* ``schedules``    EventBridge Scheduler's calls as the service treats them: expressions, roles, defaults, tokens
* ``emissions``    the events that AWS services put on the default bus and moto does not
* ``proxy``        the loopback HTTP server; every request passes a chain of interceptors on its way to moto
* ``faults``       ``Faults``: which calls meet which fault on purpose, how often and when
* ``haste``        shortens the time for which messages are put back
* ``emulator``     ``LocalAws``: all of the above, started and stopped as one
* ``deployment``   ``deploy``: the SAM template, expanded and created as a CloudFormation stack
* ``worker``       the process in which one function runs
* ``poller``       ``Poller``: Lambda's side of the event source mappings
* ``scheduler``    ``Scheduler``: fires the schedules whose time has come
* ``stage``, ``demo``  what the commands ``local up`` and ``demo`` show, built on all of this

    with LocalAws(port=0) as aws:
        deployment = deploy(Path("template.yaml"), endpoint_url=aws.url, parameters={"EndpointUrl": aws.url})
        with Poller(deployment, aws.url) as poller:
            aws.client("s3").put_object(Bucket="raw", Key="in/a.csv", Body=b"1")
            poller.drain(timeout=10)
"""
