"""What schemathesis does not know of this API: who asks, what there is to ask about, and which answers are wrong.

`FUZZ_PLAN` names a JSON file (see run-schemathesis.ts): tokens by role, who may call what, and recipes: requests that are
known to succeed. `FUZZ_RECORD` names the file into which answers are counted and findings are written at the end.
"""

import atexit
import hashlib
import json
import os
import threading
import time
import urllib.parse
import urllib.request
import uuid

import schemathesis
from schemathesis.core import NOT_SET
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import is_unexpected_http_status_case

with open(os.environ["FUZZ_PLAN"], encoding="utf8") as file:
    PLAN = json.load(file)

ROLES = ["viewer", "analyst", "operator", "admin", "platform-operator", "none", "nobody"]
# Best first: a recipe that names no role is followed by the first that may.
STRONGEST = ["admin", "operator", "analyst", "viewer", "platform-operator"]
# Of requests that schemathesis made, so many are sent as the recipe says, and of the others so many about what exists.
BY_RECIPE = 0.2
ABOUT_KNOWN = 0.6
BY_WHO_MAY = 0.65

BY_ROW = ["POST /v1/keys/bulk"]

# Answers after which the record is written in between: a run that is broken off leaves what it found.
WRITTEN_EVERY = 100

LOCK = threading.RLock()
ANSWERED = [0]
COUNTS = {}
FINDINGS = {}
BROKEN = {}
REACHED = set()
SENT_BY = {}
NEXT_RECIPE = {}


class Bearer:
    """Authorization of a request, beyond the headers that were generated."""

    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        if self.token is None:
            request.headers.pop("Authorization", None)
        else:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def shares(case, *names):
    """Numbers from 0 to 1 that the content of the request decides: the same request is always treated alike."""
    content = repr((PLAN["seed"], case.operation.label, case.path_parameters, case.query, case.headers, case.body))
    digest = hashlib.sha256(content.encode("utf8", "replace")).digest()
    return [int.from_bytes(digest[4 * at : 4 * at + 4], "big") / 2**32 for at in range(len(names))]


def who_may(label):
    access = PLAN["access"].get(label, [])
    return ["nobody"] if access == "public" else access


def is_right(case, *locations):
    if case.meta is None:
        return True
    if not locations:
        return case.meta.generation.mode.is_positive
    return not any(case.meta.is_negative_at(location) for location in locations)


@schemathesis.hook
def before_call(context, case, kwargs):
    label = case.operation.label
    follow, known, may, who, which = shares(case, "follow", "known", "may", "who", "which")
    recipe = None
    if is_right(case) and not is_unexpected_http_status_case(case):
        if label not in REACHED or follow < BY_RECIPE:
            recipe = next_recipe(label)
    allowed = who_may(label)
    role = pick(allowed if may < BY_WHO_MAY else ROLES, who)
    token = PLAN["tokens"].get(role)
    if recipe is not None:
        role = recipe.get("role") or next((each for each in STRONGEST + ["nobody"] if each in allowed), role)
        token = recipe.get("token") or PLAN["tokens"].get(role)
        follow_recipe(case, recipe, token)
    elif is_right(case, ParameterLocation.PATH) and (known < ABOUT_KNOWN or label in PLAN["bounded"]):
        places = [each["path"] for each in PLAN["recipes"].get(label, []) if "path" in each]
        if places:
            case.path_parameters = {**(case.path_parameters or {}), **pick(places, which)}
    kwargs["auth"] = Bearer(token)
    with LOCK:
        SENT_BY[case.id] = (role, recipe is not None)


def pick(options, share):
    return options[min(int(share * len(options)), len(options) - 1)]


def next_recipe(label):
    """Each in turn; one that is good for one time goes."""
    with LOCK:
        recipes = PLAN["recipes"].get(label, [])
        if not recipes:
            return None
        at = NEXT_RECIPE.get(label, 0) % len(recipes)
        recipe = recipes[at]
        if recipe.get("once"):
            recipes.pop(at)
        else:
            NEXT_RECIPE[label] = at + 1
        return recipe


def follow_recipe(case, recipe, token):
    found = {}
    for step in recipe.get("before", []):
        found.update(take_step(step, token, found))
    fill = lambda value: filled(value, found)  # noqa: E731
    case.path_parameters = fill(recipe.get("path", {}))
    case.query = fill(recipe.get("query", {}))
    case.headers.clear()
    case.headers.update(fill(recipe.get("headers", {})))
    if "body" in recipe:
        case.body = fill(recipe["body"])
        case.media_type = recipe.get("type", "application/json")
    else:
        case.body = NOT_SET


def filled(value, found):
    if isinstance(value, dict):
        return {name: filled(part, found) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, found) for part in value]
    if isinstance(value, str):
        for name, known in {**found, "uuid": str(uuid.uuid4())}.items():
            value = value.replace("{{" + name + "}}", str(known))
    return value


def take_step(step, token, so_far):
    """A request that a recipe needs first; it is not counted. What it is to find, it is asked for until it is there."""
    bearer = PLAN["tokens"][step["role"]] if "role" in step else token
    for _ in range(step.get("tries", 1)):
        answer = ask(step["method"], filled(step["path"], so_far), bearer, step.get("body"))
        found = {name: at_path(answer, place) for name, place in step.get("find", {}).items()}
        if all(value is not None for value in found.values()):
            return found
        time.sleep(step.get("pause", 0.05))
    return {}


def ask(method, path, token, body):
    data = None if body is None else json.dumps(filled(body, {})).encode()
    request = urllib.request.Request(PLAN["gateway"] + path, data=data, method=method)
    request.add_header("Authorization", f"Bearer {token}")
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            text = response.read()
    except OSError:
        return None
    return json.loads(text) if text else None


def at_path(answer, place):
    """`items.0.id`, or `link?expires`: a parameter of the address that is there."""
    place, _, parameter = place.partition("?")
    for name in place.split("."):
        if isinstance(answer, list):
            answer = answer[int(name)] if int(name) < len(answer) else None
        else:
            answer = answer.get(name) if isinstance(answer, dict) else None
    if parameter == "" or answer is None:
        return answer
    return urllib.parse.parse_qs(urllib.parse.urlsplit(answer).query)[parameter][0]


@schemathesis.hook
def after_call(context, case, response):
    label = case.operation.label
    with LOCK:
        role, _ = SENT_BY.get(case.id, ("nobody", False))
        counts = COUNTS.setdefault(label, {}).setdefault(role, {})
        counts[str(response.status_code)] = counts.get(str(response.status_code), 0) + 1
        if 200 <= response.status_code < 300:
            REACHED.add(label)
        ANSWERED[0] += 1
        if ANSWERED[0] % WRITTEN_EVERY == 0:
            write_record()


@schemathesis.hook
def after_network_error(context, case, request):
    note(BROKEN, case.operation.label, "no answer", "the connection broke, or 60 s passed", describe(request))


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Takes note of what a check found. None stops the run: it goes on with the next request."""
    check = type(failure).__name__
    by_recipe = SENT_BY.get(case.id, ("", False))[1]
    # A recipe took the place of the wrong request that schemathesis had made.
    # It reads each event of a stream as an object, which OpenAPI 3.0 cannot describe: there a stream is a text.
    streamed = "event-stream" in first(response.headers.get("content-type"))
    # A bulk answers with a verdict on each row: what is wrong with one does not refuse the others.
    by_row = case.operation.label in BY_ROW
    taken_right = check == "AcceptedNegativeData" and (by_recipe or by_row)
    if not taken_right and not (check == "JsonSchemaError" and streamed):
        what = f"{response.status_code} {failure.message.strip()}"
        request = describe(response.request)
        note(FINDINGS, case.operation.label, check, what[:600], f"{request} -> {response.text[:600]}")
    return False


def note(into, label, check, what, example):
    with LOCK:
        known = into.setdefault((label, check, what), [0, example])
        known[0] += 1


def describe(request):
    body = request.body or b""
    text = body if isinstance(body, str) else body.decode("utf8", "backslashreplace")
    headers = {name: str(value)[:80] for name, value in request.headers.items() if name != "Authorization"}
    return f"{request.method} {request.url} {json.dumps(headers)} {text[:600]}"


@schemathesis.check
def roles_hold(ctx, response, case):
    """Nothing succeeds for a role that the document does not name."""
    label = case.operation.label
    role, by_recipe = SENT_BY.get(case.id, ("nobody", False))
    access = PLAN["access"].get(label, [])
    if 200 <= response.status_code < 300 and not by_recipe and access != "public" and role not in access:
        if case.method.upper() != "OPTIONS":
            raise AssertionError(f"succeeded as {role}, which may not")


@schemathesis.check
def faults_are_named(ctx, response, case):
    """400 of a service names the field, or it would be of no use to who sent it."""
    if response.status_code != 400 or "problem+json" not in first(response.headers.get("content-type")):
        return
    problem = response.json()
    # A field may be called nothing at all.
    if not problem.get("errors") or not all(isinstance(fault.get("field"), str) for fault in problem["errors"]):
        raise AssertionError(f"names no field: {problem.get('code')}")


@schemathesis.check
def nothing_is_shown_of_the_inside(ctx, response, case):
    """Neither a stack nor the words of a database reach who asks."""
    if response.status_code < 400:
        return
    text = response.text
    for word in ("node_modules", "    at ", "PrismaClient", "SELECT ", "INSERT ", "AQL:", "ECONNREFUSED"):
        if word in text:
            raise AssertionError(f"shows {word.strip()!r}")


def first(values):
    return values[0] if values else ""


@schemathesis.serializer("text/csv", "application/gzip", "application/x-gzip")
def as_it_is(ctx, value):
    """Files are sent as they are; a list of keys becomes a table."""
    if isinstance(value, list):
        columns = sorted({name for row in value if isinstance(row, dict) for name in row})
        rows = [[json.dumps(row.get(name, "")) for name in columns] for row in value if isinstance(row, dict)]
        return "\n".join(",".join(cells) for cells in [columns, *rows]).encode("utf8", "replace")
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else str(data).encode("utf8", "replace")


@atexit.register
def write_record():
    entries = lambda found: [  # noqa: E731
        {"operation": label, "check": check, "what": what, "count": count, "example": example}
        for (label, check, what), (count, example) in found.items()
    ]
    with LOCK:
        record = json.dumps({"operations": COUNTS, "findings": entries(FINDINGS), "broken": entries(BROKEN)})
    with open(os.environ["FUZZ_RECORD"], "w", encoding="utf8") as target:
        target.write(record)
