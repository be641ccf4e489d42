"""How the flows are deployed: the deployments stand in `prefect.yaml` at the top."""

from slices.runtime.environment import prepare

prepare()
