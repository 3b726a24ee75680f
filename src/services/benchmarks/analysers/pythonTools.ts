/** bandit and flawfinder, as in the checks of traces: the same options and the same findings count. */
import { messageOf } from '../../../contract/errors.ts';
import { BANDIT, FLAWFINDER, moduleCommand, type Analyser } from '../../distill/analyserTools.ts';
import { limited, namedByExtension, outputOf, versionIn, type FindTool } from './tool.ts';

export const findBandit = findModule(BANDIT);
export const findFlawfinder = findModule(FLAWFINDER);

function findModule(analyser: Analyser): FindTool {
  const { name, extensions, read } = analyser;
  return async ({ pythonPath }) => {
    const version = async () => await outputOf([pythonPath, '-I', '-m', name, '--version']);
    try {
      return {
        name,
        version: versionIn(await version()),
        fileName: namedByExtension(extensions),
        caller: {
          name,
          command: (code) => limited(moduleCommand(pythonPath, analyser, code)),
          environment: {},
          reportFrom: 'stdout',
          read,
          stillThere: async () => void (await version()),
        },
        baseTimeoutMs: 30_000,
      };
    } catch (cause) {
      const said = messageOf(cause).trim().split('\n').at(-1) ?? '';
      return {
        remedy: `Install ${name} for ${pythonPath}: \`npx secpi setup\`, or \`pip install ${name}\` (${said}).`,
      };
    }
  };
}
