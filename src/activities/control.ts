/** Queue `secpi`: what a namespace and a store can do, and the report. */
import { Context } from '@temporalio/activity';
import proto from '@temporalio/proto';
import type { ControlActivities } from '../contract/activities.ts';
import { searchAttributes } from '../contract/workflows.ts';
import { probeStore } from '../services/store/index.ts';
import { openAnswers } from './ask.ts';
import type { Deps } from './deps.ts';
import { openTraces } from './distil.ts';
import { openFilter } from './filter.ts';
import { notifyOfNight } from './notify.ts';
import { recordNight } from './recordNight.ts';
import { describeTraces, markRowsSeen } from './newRows.ts';
import { registerModel } from './registerModel.ts';
import { resolveModel } from './resolveModel.ts';
import { runActivity } from './runActivity.ts';
import { readTraining } from './trainingAttempts.ts';
import { writeEvaluationReport } from './writeEvaluationReport.ts';
import { writeExperimentReport } from './writeExperimentReport.ts';
import { writeRunReport } from './writeRunReport.ts';

export function createControlActivities(deps: Deps): ControlActivities {
  let probed: Promise<void> | null = null;
  return {
    describeEnvironment: async () =>
      await runActivity(deps, async () => {
        probed ??= proveStore(deps);
        await probed.catch((error: unknown) => {
          probed = null; // asked again by the next attempt
          throw error;
        });
        return { searchAttributes: await knownAttributes() };
      }),
    openFilter: async (input) => await runActivity(deps, async (run) => await openFilter(deps, run, input)),
    openTraces: async (input) => await runActivity(deps, async (run) => await openTraces(deps, run, input)),
    openAnswers: async (input) => await runActivity(deps, async (run) => await openAnswers(deps, run, input)),
    readTraining: async (input) => await runActivity(deps, async () => await readTraining(deps.store, input)),
    registerModel: async (input) =>
      await runActivity(deps, async (run) => await registerModel(deps, run, input)),
    resolveModel: async (input) => await runActivity(deps, async () => await resolveModel(deps, input)),
    recordNight: async (input) => await runActivity(deps, async (run) => await recordNight(deps, run, input)),
    notify: async (input) => await runActivity(deps, async (run) => await notifyOfNight(deps, run, input)),
    writeReport: async (input) =>
      await runActivity(deps, async (run) => await writeRunReport(deps, run, input)),
    writeEvaluationReport: async (input) =>
      await runActivity(deps, async (run) => await writeEvaluationReport(deps, run, input)),
    writeExperimentReport: async (input) =>
      await runActivity(deps, async (run) => await writeExperimentReport(deps, run, input)),
    describeTraces: async (input) => await runActivity(deps, async () => await describeTraces(deps, input)),
    markRowsSeen: async (input) => await runActivity(deps, async () => await markRowsSeen(deps, input)),
  };
}

async function proveStore({ store }: Deps): Promise<void> {
  await store.objects.ensureBucket();
  await probeStore(store.objects);
}

/** The project's attributes that the namespace has, with the right type; an upsert of another would fail the task. */
async function knownAttributes(): Promise<string[]> {
  const { client, info, log } = Context.current();
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({
    namespace: info.workflowNamespace ?? client.options.namespace,
  });
  const known = Object.entries(searchAttributes).flatMap(([name, type]) =>
    customAttributes[name] === valueTypes[type] ? [name] : [],
  );
  const missing = Object.keys(searchAttributes).filter((name) => !known.includes(name));
  if (missing.length > 0) {
    log.warn('the namespace lacks search attributes; runs go on without them', {
      missing,
      remedy: 'temporal operator search-attribute create --name NAME --type TYPE',
    });
  }
  return known;
}

const { IndexedValueType } = proto.temporal.api.enums.v1;
const valueTypes = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
} as const;
