/** The model registry: versioned entries to model artefacts with their lineage, a card, and one current version. */
export type { Actor, Current, ModelEntry, SourceDataset } from './entry.ts';
export { exportModel, type ExportedModel, type ExportForm } from './exportModel.ts';
export { describeModel } from './lineage.ts';
export { actorName, modelCard } from './modelCard.ts';
export { parseNamedVersion, parseRegistryUri, registryUri, type NamedVersion } from './modelName.ts';
export { judge, type Judgement } from './promotion.ts';
export { createRegistry, type ListedModel, type Registry } from './registry.ts';
