"""Writes networkx.json beside it: what networkx finds in three graphs (python3, networkx 3.6.1). Run by hand, then prettier."""

import gzip
import json
import os

import networkx as nx

# nx.pagerank itself wants numpy and scipy; this is the same in plain Python.
from networkx.algorithms.link_analysis.pagerank_alg import _pagerank_python as pagerank

HERE = os.path.dirname(os.path.abspath(__file__))
FACEBOOK = os.path.join(HERE, "../../../../../infra/vk-simulator/data/ego-facebook.txt.gz")
SEEDS = range(3)


def facebook():
    with gzip.open(FACEBOOK, "rt") as lines:
        return nx.Graph(tuple(line.split()) for line in lines if line.strip() and not line.startswith("#"))


def figures(graph):
    cores = nx.core_number(graph)
    ranks = pagerank(graph, alpha=0.85, tol=1e-14, max_iter=1000, weight=None)
    found = [nx.community.louvain_communities(graph, weight=None, seed=seed) for seed in SEEDS]
    modularities = [nx.community.modularity(graph, one, weight=None) for one in found]
    top = sorted(ranks, key=lambda person: (-ranks[person], len(person), person))[:25]
    return {
        "people": graph.number_of_nodes(),
        "friendships": graph.number_of_edges(),
        "cores": ", ".join(f"{core} {list(cores.values()).count(core)}" for core in sorted(set(cores.values()))),
        "coreSum": sum(core * int(person) for person, core in cores.items()),
        "ranks": {person: ranks[person] for person in top},
        "modularity": [min(modularities), max(modularities)],
        "communities": [min(map(len, found)), max(map(len, found))],
    }


def small(graph):
    graph = nx.convert_node_labels_to_integers(graph, first_label=1)
    named = nx.Graph((str(a), str(b)) for a, b in graph.edges())
    return {"edges": ", ".join(" ".join(edge) for edge in named.edges()), **figures(named)}


found = {
    "ego-Facebook": figures(facebook()),
    "karate club": small(nx.karate_club_graph()),
    "Les Misérables": small(nx.les_miserables_graph()),
}
with open(os.path.join(HERE, "networkx.json"), "w") as file:
    json.dump(found, file, ensure_ascii=False, indent=2)
    file.write("\n")
