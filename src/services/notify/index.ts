/** Notifications: signed webhooks and Slack-compatible messages, each delivered once as far as a network allows. */
export { idempotencyKeyOf, notify, type NotifyRequest } from './notify.ts';
export { isSignedBy, sign, SIGNATURE_HEADER } from './signature.ts';
