import { map, string } from '../schema/field.ts';

/** Kong's `custom_fields_by_lua` of log plugins: nothing here runs Lua, so only an empty one is taken. */
export const customFieldsByLua = map(
  string({ len_min: 1 }),
  string({
    len_min: 1,
    custom_validator: () => 'this gateway runs no Lua: leave it out, and shape entries where they arrive, with Vector, Fluent Bit or jq',
  }),
);
