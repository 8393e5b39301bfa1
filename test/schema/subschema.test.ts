import { expect, test } from 'bun:test';
import { integer, record, set, string } from '../../src/schema/field.ts';
import { validate } from '../../src/schema/validate.ts';

const shapes = record(
  { kind: set(string()), size: integer(), detail: record({}, { abstract: true }) },
  {
    subschema: {
      key: 'kind',
      of: kind =>
        kind === 'round'
          ? record({ size: integer({ eq: null }), detail: record({ radius: integer({ default: 1 }) }, { required: true }) })
          : kind === 'square'
            ? record({ detail: record({ side: integer() }) }, { entity_checks: [{ at_least_one_of: ['size', 'detail.side'] }] })
            : null,
      error: kind => `no shape '${kind}'`,
    },
  },
);

test.each([
  [{ kind: ['round'] }, { value: { kind: ['round'], size: null, detail: { radius: 1 } } }],
  [{ kind: ['other', 'round'] }, { value: { kind: ['other', 'round'], size: null, detail: { radius: 1 } } }],
  [{ kind: 'round', detail: {} }, { errors: { kind: 'expected a set' } }],
  [{ kind: ['round'], size: 1 }, { errors: { size: 'value must be null' } }],
  [{ kind: ['round'], detail: { side: 1 } }, { errors: { detail: { side: 'unknown field' } } }],
  [{ kind: ['square'] }, { errors: { '@entity': ["at least one of these fields must be non-empty: 'size', 'detail.side'"] } }],
  [{ kind: ['square'], detail: { side: 2 } }, { value: { kind: ['square'], size: null, detail: { side: 2 } } }],
  [{ kind: ['flat'], nonsense: 1 }, { errors: { kind: "no shape 'flat'" } }],
  [{ nonsense: 1 }, { errors: { kind: 'required field missing' } }],
  [{ kind: [] }, { errors: { kind: 'required field missing' } }],
])('%j is read by the schema that its kind chooses', (input, result) => {
  expect(validate(shapes, input)).toEqual(result as never);
});
