"""Reads an export back with what others wrote and prints it as JSON: people by id, friendships by their two ends.

GEXF and GraphML are parsed by expat, and by networkx where it is installed; both must agree. Zips are read by zipfile
and, when they hold CSV, by csv; `--unzip FOLDER` puts the files there instead. With pandas installed it reads the CSV
too.
"""

import csv
import io
import json
import sys
import xml.etree.ElementTree as ElementTree
import zipfile


def local(tag):
    return tag.rsplit('}', 1)[-1]


def by_expat(path):
    people, friendships = {}, {}
    root = ElementTree.parse(path).getroot()
    for element in root.iter():
        kind = local(element.tag)
        if kind not in ('node', 'edge'):
            continue
        values = {}
        for child in element.iter():
            if local(child.tag) == 'attvalue':
                values[child.get('for')] = child.get('value')
            if local(child.tag) == 'data':
                values[child.get('key')] = child.text or ''
        if kind == 'node':
            if element.get('label') is not None:
                values['label'] = element.get('label')
            assert element.get('id') not in people, 'a person stands twice'
            people[element.get('id')] = values
        else:
            ends = f"{element.get('source')} {element.get('target')}"
            assert ends not in friendships, 'a friendship stands twice'
            friendships[ends] = values
    return {'people': people, 'friendships': friendships, 'root': local(root.tag)}


def by_networkx(path, found):
    try:
        import networkx
    except ImportError:
        return None
    read = networkx.read_gexf if found['root'] == 'gexf' else networkx.read_graphml
    graph = read(path)
    assert not graph.is_directed() and not graph.is_multigraph(), 'networkx sees another kind of graph'
    assert set(graph.nodes) == set(found['people']), 'networkx sees other people'
    ends = {tuple(sorted(edge)) for edge in graph.edges}
    assert ends == {tuple(sorted(key.split(' '))) for key in found['friendships']}, 'networkx sees other friendships'
    for person, values in found['people'].items():
        assert graph.nodes[person]['label'] == values['label'], 'networkx sees another label'
    return networkx.__version__


def by_zip(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def main():
    path = sys.argv[1]
    if len(sys.argv) > 3 and sys.argv[2] == '--unzip':
        with zipfile.ZipFile(path) as archive:
            archive.extractall(sys.argv[3])
            print(json.dumps(archive.namelist()))
        return
    if zipfile.is_zipfile(path):
        tables = {}
        for name, content in by_zip(path).items():
            rows = list(csv.DictReader(io.StringIO(content.decode('utf-8'), newline='')))
            tables[name] = rows
            try:
                import pandas

                frame = pandas.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
                assert frame.to_dict('records') == rows, 'pandas sees other rows'
            except ImportError:
                pass
        print(json.dumps(tables))
        return
    found = by_expat(path)
    found['networkx'] = by_networkx(path, found)
    print(json.dumps(found))


main()
