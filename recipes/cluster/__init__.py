"""Run stages on the nodes of a cluster.

Files:
    protocol.py: what is asked of a cluster, its nodes, and what a stage asks of a node
    stage_requests.py: processors, GPUs and memory of each stage; refuses what no node has
    node_check.py: what is installed on a node and which files it sees, compared with this machine
    node_kinds.py: nodes that are alike, so that one of each kind is measured
    node_probe.py: what a node does for plan: it measures how fast it is
    forecast.py: what stages would take on the nodes of a cluster, for plan
    node_stage.py: what a node does: it makes one stage
    cluster_place.py: the cluster as a place where stages run; stages of lost nodes start again
    ray_cluster.py: a cluster of Ray
    open_cluster.py: connect, check every node, and close again
    choose_place.py: where the stages of a run are made: on this machine, or on a cluster
"""
