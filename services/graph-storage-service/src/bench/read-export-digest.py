"""Prints what an export holds as JSON: how many people and friendships, and a digest of both that does not depend on order.

GEXF and GraphML are parsed by expat, element by element; CSV by zipfile and csv. `--unzip FOLDER` unpacks a zip instead.
"""

import csv
import hashlib
import io
import json
import sys
import xml.etree.ElementTree as ElementTree
import zipfile


class Tally:
    def __init__(self):
        self.people = self.friendships = self.digest = 0

    def person(self, person):
        self.people += 1
        self.add(person)

    def friendship(self, a, b):
        self.friendships += 1
        low, high = sorted((a, b), key=lambda end: (len(end), end))
        self.add(f'{low} {high}')

    def add(self, text):
        self.digest ^= int.from_bytes(hashlib.sha1(text.encode()).digest()[:8], 'big')


def from_xml(path, tally):
    parents = []
    for event, element in ElementTree.iterparse(path, events=('start', 'end')):
        if event == 'start':
            parents.append(element)
            continue
        parents.pop()
        kind = element.tag.rsplit('}', 1)[-1]
        if kind == 'node':
            tally.person(element.get('id'))
        if kind == 'edge':
            tally.friendship(element.get('source'), element.get('target'))
        if kind in ('node', 'edge') and parents:
            parents[-1].remove(element)


def from_csv(path, tally):
    with zipfile.ZipFile(path) as archive:
        for table, take in (
            ('people.csv', lambda row: tally.person(row['id'])),
            ('friendships.csv', lambda row: tally.friendship(row['source'], row['target'])),
        ):
            with archive.open(table) as content:
                for row in csv.DictReader(io.TextIOWrapper(content, encoding='utf-8', newline='')):
                    take(row)


def main():
    path = sys.argv[1]
    if len(sys.argv) > 3 and sys.argv[2] == '--unzip':
        with zipfile.ZipFile(path) as archive:
            archive.extractall(sys.argv[3])
        return
    tally = Tally()
    (from_csv if zipfile.is_zipfile(path) else from_xml)(path, tally)
    print(json.dumps({'people': tally.people, 'friendships': tally.friendships, 'digest': f'{tally.digest:016x}'}))


main()
