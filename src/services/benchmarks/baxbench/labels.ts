/** By what labels a run's containers and images are known to the engine, whoever asks it later. */

/** Process that made it, as services/processOwner formats it. */
export const OWNER_LABEL = 'secpi.baxbench.owner';
/** The one grading it belongs to. */
export const RUN_LABEL = 'secpi.baxbench.run';
/** On the one image of each build key that is kept, so that the layers shared with it need not be built again. */
export const CACHE_LABEL = 'secpi.baxbench.cache';
/** The driver that made it: a process may have several. */
export const DRIVER_LABEL = 'secpi.baxbench.driver';
