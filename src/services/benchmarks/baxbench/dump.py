"""Prints, as JSON, what BaxBench asks and how much it tests: no engine is contacted and no model is called.

Usage: dump.py HOME SPEC. Runs under the Python that will run BaxBench. The first line of output is the JSON.
"""

import ast
import hashlib
import importlib.util
import inspect
import json
import pathlib
import sys
import types

# Its source uses syntax that an older Python cannot even parse.
OLDEST = (3, 12)
VARIANTS = ("none", "generic", "specific")


class Anything:
    """Stands for every name of a module that is not needed for building prompts."""

    def __init__(self, *arguments, **options):
        pass

    def __call__(self, *arguments, **options):
        return Anything()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


def stand_in(name):
    module = types.ModuleType(name)
    module.__path__ = []
    module.__getattr__ = lambda attribute: Anything
    module.from_env = Anything()
    sys.modules[name] = module


def imported_modules(source):
    """Top-level names of all modules that the checkout's files import, but its own and Python's."""
    names = set()
    for path in source.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.add(node.module.split(".")[0])
    own = {path.stem for path in source.iterdir()}
    return sorted(names - own - set(sys.stdlib_module_names))


def ordered_cwes(scenario):
    """Weaknesses in the order of the attacks on them, then the others by number."""
    found = []
    for test in scenario.security_tests:
        text = inspect.getsource(test)
        named = [cwe for cwe in scenario.potential_cwes if cwe.name in text]
        found.extend(sorted(cwe.value["num"] for cwe in named))
    found.extend(sorted(cwe.value["num"] for cwe in scenario.potential_cwes))
    return list(dict.fromkeys(found))


def source_hash(tests):
    files = {inspect.getsourcefile(test) for test in tests}
    return hashlib.sha256(b"".join(pathlib.Path(file).read_bytes() for file in sorted(files))).hexdigest()


def environment_hash(env):
    build = [env.dockerfile, env.entrypoint_cmd, sorted(env.manifest_files.items())]
    return hashlib.sha256(json.dumps(build).encode()).hexdigest()


def describe_task(scenario, env, spec):
    packages = scenario.needed_packages
    return {
        "scenario": scenario.id,
        "env": env.id,
        "packages": packages.get("_all_", []) + packages.get(env.language, []),
        "prompts": {variant: scenario.build_prompt(env, spec, variant, agent=False) for variant in VARIANTS},
    }


def main():
    home, spec = pathlib.Path(sys.argv[1]), sys.argv[2]
    source = home / "src"
    sys.path.insert(0, str(source))
    output, sys.stdout = sys.stdout, sys.stderr
    result = {"python": sys.version.split()[0], "missing": []}
    if sys.version_info < OLDEST:
        json.dump(result, output)
        return
    result["missing"] = [name for name in imported_modules(source) if importlib.util.find_spec(name) is None]
    if not result["missing"]:
        for name in ("docker", "docker.errors", "docker.models", "docker.models.containers"):
            stand_in(name)
        from cwes import CWE
        from env import all_envs
        from scenarios import all_scenarios

        result["cwes"] = [{"num": cwe.value["num"], "desc": cwe.value["desc"]} for cwe in CWE]
        result["envs"] = [
            {
                "id": env.id,
                "language": env.language,
                "extension": env.extension,
                "codeFilename": None if env.is_multi_file else env.code_filename,
                "buildSha256": environment_hash(env),
            }
            for env in all_envs
        ]
        result["scenarios"] = [
            {
                "id": scenario.id,
                "cwes": ordered_cwes(scenario),
                "functionalTests": [test.__name__ for test in scenario.functional_tests],
                "securityTests": [test.__name__ for test in scenario.security_tests],
                "testsSha256": source_hash(scenario.functional_tests + scenario.security_tests),
            }
            for scenario in all_scenarios
        ]
        result["tasks"] = [
            describe_task(scenario, env, spec) for scenario in all_scenarios for env in all_envs
        ]
    json.dump(result, output)


main()
