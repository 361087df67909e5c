import 'reflect-metadata';
import { Public, Roles } from './access';
import { AuthModule } from './auth.module';
import { isRole } from './principal';
import { NoRevocations, Revocations } from './revocations';
import { Admission } from './admission';
import { TokenVerifier } from './token-verifier';

describe('roles', () => {
  it.each(['viewer', 'analyst', 'operator', 'admin', 'platform-operator'])('%s is one', (name) => {
    expect(isRole(name)).toBe(true);
  });

  it.each(['', 'Viewer', 'root', undefined, 1])('%p is none', (name) => {
    expect(isRole(name)).toBe(false);
  });

  it('are declared where the guard and the OpenAPI document look for them', () => {
    @Roles('viewer', 'admin')
    class Guarded {}
    @Public()
    class Open {}
    const of = (target: object): unknown[] =>
      ['sociograph:access', 'swagger/apiExtension'].map((key) => Reflect.getMetadata(key, target) as unknown);
    expect(of(Guarded)).toEqual([
      { kind: 'roles', roles: ['viewer', 'admin'] },
      { 'x-access': ['viewer', 'admin'] },
    ]);
    expect(of(Open)).toEqual([{ kind: 'public' }, { 'x-access': 'public' }]);
  });
});

describe('the module', () => {
  const rules = { issuer: 'https://id', jwksUrl: 'https://id/certs', audience: 'api', clients: ['web'] };

  it('offers verifier and revocations to every module', () => {
    expect(AuthModule.forRoot(rules)).toMatchObject({
      global: true,
      exports: [TokenVerifier, Revocations, Admission],
    });
  });

  it('revokes nothing unless told otherwise', async () => {
    const given = (options: Parameters<typeof AuthModule.forRoot>[0]): unknown =>
      AuthModule.forRoot(options).providers?.find(
        (each) => 'provide' in each && each.provide === Revocations,
      );
    expect(given(rules)).toEqual({ provide: Revocations, useValue: new NoRevocations() });
    expect(await new NoRevocations().earliestAcceptedIat()).toBeUndefined();
  });
});
