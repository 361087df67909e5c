"""Recounts a graph by igraph and networkx: `recount.py FILE PEOPLE`, FILE has "a b" lines of numbers below PEOPLE.

Prints one JSON object: library -> {version, seconds, friendships, triangles, averageClustering, components}. Reading
the file and building the graph are not measured.
"""

import json
import sys
import time


def timed(build, count):
    graph = build()
    started = time.perf_counter()
    figures = count(graph)
    return {"seconds": time.perf_counter() - started, **figures}


def by_igraph(edges, people):
    import igraph

    def count(graph):
        local = graph.transitivity_local_undirected(mode="zero")
        return {
            "friendships": graph.ecount(),
            "triangles": len(graph.list_triangles()) if not hasattr(graph, "count_triangles") else graph.count_triangles(),
            "averageClustering": sum(local) / people,
            "components": len(graph.connected_components()),
        }

    return {"version": igraph.__version__, **timed(lambda: igraph.Graph(n=people, edges=edges), count)}


def by_networkx(edges, people):
    import networkx

    def build():
        graph = networkx.Graph()
        graph.add_nodes_from(range(people))
        graph.add_edges_from(edges)
        return graph

    def count(graph):
        return {
            "friendships": graph.number_of_edges(),
            "triangles": sum(networkx.triangles(graph).values()) // 3,
            "averageClustering": networkx.average_clustering(graph),
            "components": networkx.number_connected_components(graph),
        }

    return {"version": networkx.__version__, **timed(build, count)}


def main():
    file, people = sys.argv[1], int(sys.argv[2])
    with open(file, encoding="ascii") as lines:
        edges = [(int(a), int(b)) for a, b in (line.split() for line in lines)]
    print(json.dumps({"igraph": by_igraph(edges, people), "networkx": by_networkx(edges, people)}))


main()
